#ifndef CKPT_TASK_QUIET_THREAD_HPP
#define CKPT_TASK_QUIET_THREAD_HPP

#include <pthread.h>
#include <sched.h>

#include <ckpt/task/signals_left_to_others.hpp>

namespace ckpt {

namespace detail {

/// Calls the member function `Work` of `self` on a new thread; returns whether there is one.
template <auto Work, class Self>
bool start_thread(pthread_t& thread, Self& self) noexcept {
  constexpr auto run = [](void* of) -> void* {
    (static_cast<Self*>(of)->*Work)();
    return nullptr;
  };
  const signals_left_to_others meanwhile;
  return ::pthread_create(&thread, nullptr, run, &self) == 0;
}

}  // namespace detail

/// Calls the member function `Work` of `self`, which must outlive it, on a new thread that nobody waits for and that
/// gets no signals of the application. Returns whether the system has one to give.
template <auto Work, class Self>
[[nodiscard]] bool start_detached(Self& self) noexcept {
  pthread_t thread{};
  if (!detail::start_thread<Work>(thread, self)) return false;
  ::pthread_detach(thread);
  return true;
}

/// From now on the calling thread runs only where a core has nothing else to do.
inline void run_when_idle() noexcept {
#ifdef SCHED_IDLE
  const sched_param none{};
  ::sched_setscheduler(0, SCHED_IDLE, &none);
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
    m_is_there = detail::start_thread<Work>(m_thread, self);
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
