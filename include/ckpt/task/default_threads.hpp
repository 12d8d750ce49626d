#ifndef CKPT_TASK_DEFAULT_THREADS_HPP
#define CKPT_TASK_DEFAULT_THREADS_HPP

#include <unistd.h>

namespace ckpt {

/// How many threads work at once where nobody says: one for each core, at least one.
[[nodiscard]] inline unsigned default_threads() noexcept {
  const long cores = ::sysconf(_SC_NPROCESSORS_ONLN);
  return cores < 1 ? 1 : static_cast<unsigned>(cores);
}

}  // namespace ckpt

#endif
