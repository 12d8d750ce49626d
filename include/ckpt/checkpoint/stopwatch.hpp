#ifndef CKPT_CHECKPOINT_STOPWATCH_HPP
#define CKPT_CHECKPOINT_STOPWATCH_HPP

#include <chrono>

namespace ckpt::detail {

class stopwatch {
 public:
  /// Seconds since the last lap.
  double lap() noexcept {
    const clock::rep before = m_last;
    m_last = now();
    return static_cast<double>(m_last - before) * clock::period::num / clock::period::den;
  }

 private:
  using clock = std::chrono::steady_clock;

  static clock::rep now() noexcept { return clock::now().time_since_epoch().count(); }

  clock::rep m_last = now();
};

}  // namespace ckpt::detail

#endif
