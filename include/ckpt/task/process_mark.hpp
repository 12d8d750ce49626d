#ifndef CKPT_TASK_PROCESS_MARK_HPP
#define CKPT_TASK_PROCESS_MARK_HPP

#include <sys/types.h>
#include <unistd.h>

namespace ckpt {

/// Which process made an object. In one that the program has forked meanwhile the object is a copy, and the threads
/// that it counts on are not there.
class process_mark {
 public:
  [[nodiscard]] bool is_here() const noexcept { return ::getpid() == m_process; }
  /// Marks it as this process's own. Returns whether it was another's.
  bool take_over() noexcept {
    if (is_here()) return false;
    m_process = ::getpid();
    return true;
  }

 private:
  pid_t m_process = ::getpid();
};

}  // namespace ckpt

#endif
