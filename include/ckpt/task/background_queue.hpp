#ifndef CKPT_TASK_BACKGROUND_QUEUE_HPP
#define CKPT_TASK_BACKGROUND_QUEUE_HPP

#include <condition_variable>
#include <csignal>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include <sys/types.h>
#include <unistd.h>

namespace ckpt {

/// Work for a background_queue.
class background_task {
 public:
  background_task() = default;
  background_task(const background_task&) = delete;
  background_task& operator=(const background_task&) = delete;
  virtual ~background_task() = default;
  virtual void run() noexcept = 0;
};

/// One thread that does tasks in the order in which they come, and ends when it has none. The destructor returns when
/// all are done.
class background_queue {
 public:
  background_queue() = default;
  background_queue(const background_queue&) = delete;
  background_queue& operator=(const background_queue&) = delete;

  ~background_queue() {
    forget_those_of_a_parent();
    if (m_thread.joinable()) m_thread.join();
  }

  /// Whether the calling thread is that of a queue: then it must not wait for tasks.
  [[nodiscard]] static bool is_calling() noexcept { return is_worker(); }

  /// Returns when fewer than `most` tasks are waiting for their turn; false at once where `may_wait` says no and there
  /// are more.
  [[nodiscard]] bool wait_for_room(std::size_t most, bool may_wait) {
    std::unique_lock lock(m_mutex);
    if (!may_wait) return m_tasks.size() < most;
    m_taken.wait(lock, [&] { return m_tasks.size() < most; });
    return true;
  }

  /// Returns whether the task begins at once, there being no other. Throws std::system_error where the system has no
  /// thread to give, and std::bad_alloc; nothing has changed then.
  bool add(std::shared_ptr<background_task> task) {
    const std::lock_guard lock(m_mutex);
    forget_those_of_a_parent();
    m_tasks.push_back(std::move(task));
    if (m_is_running) return false;
    try {
      if (m_thread.joinable()) m_thread.join();  // it has ended, or is about to without taking the lock again
      const signals_left_to_others meanwhile;
      m_thread = std::thread([this] { run(); });
      m_is_running = true;
    } catch (...) {
      m_tasks.pop_back();
      throw;
    }
    return true;
  }

 private:
  /// In a process that was forked from the one that made this, the thread and its tasks are not there: nothing is
  /// waited for, and no task destroyed, whose files are the parent's.
  void forget_those_of_a_parent() {
    if (::getpid() == m_owner) return;
    m_owner = ::getpid();
    static auto& kept = *new std::deque<std::pair<std::thread, std::deque<std::shared_ptr<background_task>>>>;
    kept.emplace_back(std::move(m_thread), std::move(m_tasks));
    m_tasks.clear();
    m_is_running = false;
  }

  static bool& is_worker() noexcept {
    static thread_local bool is = false;
    return is;
  }

  /// Threads that are made while this lives get no signals: the application's handlers run on its own threads.
  class signals_left_to_others {
   public:
    signals_left_to_others() noexcept {
      sigset_t all;
      ::sigfillset(&all);
      for (const int own_fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP}) ::sigdelset(&all, own_fault);
      ::pthread_sigmask(SIG_BLOCK, &all, &m_before);
    }
    signals_left_to_others(const signals_left_to_others&) = delete;
    signals_left_to_others& operator=(const signals_left_to_others&) = delete;
    ~signals_left_to_others() { ::pthread_sigmask(SIG_SETMASK, &m_before, nullptr); }

   private:
    sigset_t m_before;
  };

  void run() noexcept {
    is_worker() = true;
    for (;;) {
      std::shared_ptr<background_task> next;
      {
        const std::lock_guard lock(m_mutex);
        if (m_tasks.empty()) {
          m_is_running = false;
          return;
        }
        next = std::move(m_tasks.front());
        m_tasks.pop_front();
      }
      m_taken.notify_all();
      next->run();
    }
  }

  std::mutex m_mutex;
  std::condition_variable m_taken;
  std::deque<std::shared_ptr<background_task>> m_tasks;
  std::thread m_thread;
  bool m_is_running = false;
  pid_t m_owner = ::getpid();
};

}  // namespace ckpt

#endif
