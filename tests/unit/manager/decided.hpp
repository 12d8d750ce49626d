#ifndef CKPT_TESTS_UNIT_MANAGER_DECIDED_HPP
#define CKPT_TESTS_UNIT_MANAGER_DECIDED_HPP

#include <ckpt/manager/preservation.hpp>
#include <ckpt/manager/save_decision.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace decided {

inline void add(std::string& to, std::uint64_t step) { to += (to.empty() ? "" : " ") + std::to_string(step); }

/// At which of the steps 1 to `last` a policy saves: `2 4 6`.
inline std::string steps(const ckpt::save_decision& policy, std::uint64_t last) {
  std::string saved;
  for (std::uint64_t step = 1; step <= last; ++step)
    if (policy.should_save({.epoch = 1, .step = step}, {})) add(saved, step);
  return saved;
}

/// Which of the steps 1, 2, 3, ..., saved with these metrics, a policy keeps.
inline std::string kept(const ckpt::preservation& policy, const std::vector<ckpt::step_metrics>& metrics) {
  std::vector<ckpt::checkpoint> all;
  for (const ckpt::step_metrics& each : metrics)
    all.push_back({{.epoch = 1, .step = all.size() + 1, .metrics = each}, "a file"});
  std::string found;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (policy.preserves(all, i)) add(found, all[i].step);
  return found;
}

}  // namespace decided

#endif
