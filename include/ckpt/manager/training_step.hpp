#ifndef CKPT_MANAGER_TRAINING_STEP_HPP
#define CKPT_MANAGER_TRAINING_STEP_HPP

#include <cstdint>
#include <map>
#include <string>

namespace ckpt {

/// What was measured at a step, by name.
using step_metrics = std::map<std::string, double>;

/// Where a training stands. Steps are ordered by epoch, and within one by `step`: that may begin anew in each epoch, as
/// MindSpore counts, or go on.
struct training_step {
  std::uint64_t epoch = 0;
  std::uint64_t step = 0;
  step_metrics metrics{};
};

/// Whether `a` comes before `b`.
[[nodiscard]] inline bool is_earlier(const training_step& a, const training_step& b) noexcept {
  return a.epoch != b.epoch ? a.epoch < b.epoch : a.step < b.step;
}

/// Whether they are one step, whatever was measured.
[[nodiscard]] inline bool is_same_step(const training_step& a, const training_step& b) noexcept {
  return a.epoch == b.epoch && a.step == b.step;
}

/// A checkpoint file of a training.
struct checkpoint : training_step {
  std::string path{};
};

}  // namespace ckpt

#endif
