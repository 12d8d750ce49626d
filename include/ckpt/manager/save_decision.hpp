#ifndef CKPT_MANAGER_SAVE_DECISION_HPP
#define CKPT_MANAGER_SAVE_DECISION_HPP

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include <ckpt/manager/training_step.hpp>

namespace ckpt {

/// What a checkpoint_manager has saved so far.
struct save_history {
  std::optional<training_step> last{};  ///< its last save; nothing before the first
  double seconds = 0;                   ///< since that, or since the manager was opened
};

/// When to save, as a policy, a value that is copied:
///
///   should_save(now, history)   whether a checkpoint is due at the step `now`; asked at each, so it must be quick
template <class P>
concept save_decision_policy = requires(const P& policy, const training_step& now, const save_history& history) {
  { policy.should_save(now, history) } -> std::same_as<bool>;
};

/// At the steps of these numbers, in every epoch that has them.
class specific_steps final {
 public:
  specific_steps(std::initializer_list<std::uint64_t> steps) : m_steps(steps) {}
  explicit specific_steps(std::vector<std::uint64_t> steps) : m_steps(std::move(steps)) {}

  [[nodiscard]] bool should_save(const training_step& now, const save_history&) const noexcept {
    for (const std::uint64_t step : m_steps)
      if (step == now.step) return true;
    return false;
  }

 private:
  std::vector<std::uint64_t> m_steps;
};

/// At the first step that comes so many seconds after the last save, or after the manager was opened.
struct every_n_seconds final {
  double n = 0;

  [[nodiscard]] bool should_save(const training_step&, const save_history& history) const noexcept {
    return history.seconds >= n;
  }
};

/// Any save_decision_policy; by default one that saves at every step.
class save_decision final {
 public:
  save_decision() = default;
  template <class Policy>
    requires(!std::same_as<Policy, save_decision> && save_decision_policy<Policy>)
  save_decision(Policy policy)  // NOLINT(google-explicit-constructor): an option's type
      : m_decide([policy = std::move(policy)](const training_step& now, const save_history& history) {
          return policy.should_save(now, history);
        }) {}

  [[nodiscard]] bool should_save(const training_step& now, const save_history& history) const {
    return !m_decide || m_decide(now, history);
  }

 private:
  std::function<bool(const training_step&, const save_history&)> m_decide;
};

}  // namespace ckpt

#endif
