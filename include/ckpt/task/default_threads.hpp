#ifndef CKPT_TASK_DEFAULT_THREADS_HPP
#define CKPT_TASK_DEFAULT_THREADS_HPP

#include <unistd.h>

namespace ckpt {

/// How many threads work at once where nobody says: one for each core, at least one.
[[nodiscard]] inline unsigned default_threads() noexcept {
  const long cores = ::sysconf(_SC_NPROCESSORS_ONLN);
  return cores < 1 ? 1 : static_cast<unsigned>(cores);
}

/// `threads` where somebody says, else as many.
[[nodiscard]] inline unsigned threads_or_default(unsigned threads) noexcept {
  return threads == 0 ? default_threads() : threads;
}

}  // namespace ckpt

#endif
