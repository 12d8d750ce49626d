#ifndef CKPT_TASK_QUIET_THREAD_HPP
#define CKPT_TASK_QUIET_THREAD_HPP

#include <pthread.h>
#include <sched.h>

#include <ckpt/task/signals_left_to_others.hpp>

namespace ckpt {

/// From now on the calling thread, when it is woken up, waits until a core is idle or another thread has had its turn;
/// a thread that the application has put before or behind others stays there. (No lower: a thread that only runs on an
/// idle core does not end either, nor its process, while there is none.)
inline void interrupt_nobody() noexcept {
#ifdef SCHED_BATCH
  const sched_param none{};
  if (::sched_getscheduler(0) == SCHED_OTHER) ::sched_setscheduler(0, SCHED_BATCH, &none);
#endif
}

/// A thread that gets no signals of the application. (Not a std::thread: its header takes a tenth of the time that
/// ckpt.hpp takes to compile.)
class quiet_thread {
 public:
  quiet_thread() noexcept = default;
  quiet_thread(const quiet_thread&) = delete;
  quiet_thread& operator=(const quiet_thread&) = delete;
  ~quiet_thread() { join(); }

  /// Calls the member function `Work` of `self` on a new thread, once. Where the system has none to give there is none.
  template <auto Work, class Self>
  void start(Self& self) noexcept {
    constexpr auto run = [](void* of) -> void* {
      (static_cast<Self*>(of)->*Work)();
      return nullptr;
    };
    const signals_left_to_others meanwhile;
    m_is_there = ::pthread_create(&m_thread, nullptr, run, &self) == 0;
  }

  /// Whether it was made, and not yet joined.
  [[nodiscard]] bool is_there() const noexcept { return m_is_there; }

  /// Waits for its end.
  void join() noexcept {
    if (m_is_there) ::pthread_join(m_thread, nullptr);
    m_is_there = false;
  }

 private:
  pthread_t m_thread{};
  bool m_is_there = false;
};

}  // namespace ckpt

#endif
