#ifndef CKPT_TASK_DEFAULT_THREADS_HPP
#define CKPT_TASK_DEFAULT_THREADS_HPP

#include <sched.h>
#include <unistd.h>

namespace ckpt {

/// How many threads work at once where nobody says: one for each core that the process may use, at least one.
[[nodiscard]] inline unsigned default_threads() noexcept {
#ifdef __linux__
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) == 0) return static_cast<unsigned>(CPU_COUNT(&allowed));
#endif
  const long cores = ::sysconf(_SC_NPROCESSORS_ONLN);
  return cores < 1 ? 1 : static_cast<unsigned>(cores);
}

/// `threads` where somebody says, else as many.
[[nodiscard]] inline unsigned threads_or_default(unsigned threads) noexcept {
  return threads == 0 ? default_threads() : threads;
}

}  // namespace ckpt

#endif
