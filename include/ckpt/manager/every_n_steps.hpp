#ifndef CKPT_MANAGER_EVERY_N_STEPS_HPP
#define CKPT_MANAGER_EVERY_N_STEPS_HPP

#include <cstddef>
#include <cstdint>
#include <span>

#include <ckpt/core/error.hpp>
#include <ckpt/manager/preservation.hpp>
#include <ckpt/manager/save_decision.hpp>
#include <ckpt/manager/training_step.hpp>

namespace ckpt {

/// Saves at, or keeps, the steps whose number is a multiple of `n`.
class every_n_steps final {
 public:
  /// Throws usage_error where `n` is 0.
  explicit every_n_steps(std::uint64_t n) : m_n(n) {
    if (n == 0) throw usage_error(errc::invalid_argument, {}, "every_n_steps of 0: say 1 for every step");
  }

  [[nodiscard]] bool should_save(const training_step& now, const save_history&) const noexcept {
    return now.step % m_n == 0;
  }
  [[nodiscard]] bool preserves(std::span<const checkpoint> all, std::size_t at) const noexcept {
    return all[at].step % m_n == 0;
  }

 private:
  std::uint64_t m_n;
};

}  // namespace ckpt

#endif
