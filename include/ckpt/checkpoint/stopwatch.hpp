#ifndef CKPT_CHECKPOINT_STOPWATCH_HPP
#define CKPT_CHECKPOINT_STOPWATCH_HPP

#include <chrono>

namespace ckpt::detail {

class stopwatch {
 public:
  /// Seconds since the last lap.
  double lap() noexcept {
    const auto now = std::chrono::steady_clock::now();
    const std::chrono::nanoseconds passed = now - m_last;
    m_last = now;
    return static_cast<double>(passed.count()) * 1e-9;
  }

 private:
  std::chrono::steady_clock::time_point m_last = std::chrono::steady_clock::now();
};

}  // namespace ckpt::detail

#endif
