#ifndef CKPT_TASK_BACKGROUND_QUEUE_HPP
#define CKPT_TASK_BACKGROUND_QUEUE_HPP

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <ckpt/task/process_mark.hpp>
#include <ckpt/task/signals_left_to_others.hpp>

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
/// all are done; but on the thread of a queue, this or another, at once: those that are left are done all the same. The
/// end of the program waits for all tasks of all queues; where it is a task that ends the program, not for those of its
/// queue.
class background_queue {
 public:
  background_queue() = default;
  background_queue(const background_queue&) = delete;
  background_queue& operator=(const background_queue&) = delete;

  ~background_queue() {
    forget_those_of_a_parent();
    if (!m_thread.joinable()) return;
    if (is_calling()) m_thread.detach();
    else m_thread.join();
  }

  /// Whether the calling thread is that of a queue: then it must not wait for tasks.
  [[nodiscard]] static bool is_calling() noexcept { return is_worker(); }
  /// What an error says who was called there and would have to wait.
  static constexpr std::string_view must_not_wait =
      "; this is called on the thread of a queue of saves, which must not wait for them";

  /// Returns when fewer than `most` tasks are waiting for their turn; false at once where `may_wait` says no and there
  /// are more.
  [[nodiscard]] bool wait_for_room(std::size_t most, bool may_wait) {
    const std::shared_ptr<task_list> tasks = own_tasks();
    std::unique_lock lock(tasks->mutex);
    if (!may_wait) return tasks->waiting.size() < most;
    tasks->taken.wait(lock, [&] { return tasks->waiting.size() < most; });
    return true;
  }

  /// Returns whether the task begins at once, there being no other. Throws std::system_error where the system has no
  /// thread to give, and std::bad_alloc; nothing has changed then.
  bool add(std::shared_ptr<background_task> task) {
    const std::lock_guard starting(m_mutex);
    forget_those_of_a_parent();
    const std::lock_guard lock(m_tasks->mutex);
    m_tasks->waiting.push_back(std::move(task));
    if (m_tasks->is_running) return false;
    try {
      if (m_thread.joinable()) m_thread.join();  // it has ended, or is about to without taking the lock again
      const signals_left_to_others meanwhile;
      m_thread = std::thread([tasks = m_tasks] {
        is_worker() = true;
        tasks->run();
      });
      m_tasks->is_running = true;
    } catch (...) {
      m_tasks->waiting.pop_back();
      throw;
    }
    return true;
  }

 private:
  /// What the queue and its thread share: the thread may outlive the queue.
  struct task_list {
    std::mutex mutex;
    std::condition_variable taken;
    std::condition_variable ended;
    std::deque<std::shared_ptr<background_task>> waiting;
    std::thread::id thread;
    bool is_running = false;

    void run() noexcept {
      for (;;) {
        std::shared_ptr<background_task> next;
        {
          const std::lock_guard lock(mutex);
          thread = std::this_thread::get_id();
          if (waiting.empty()) {
            is_running = false;
            ended.notify_all();
            return;
          }
          next = std::move(waiting.front());
          waiting.pop_front();
        }
        taken.notify_all();
        next->run();
      }
    }

    [[nodiscard]] bool is_running_elsewhere() {
      const std::lock_guard lock(mutex);
      return is_running && thread != std::this_thread::get_id();
    }
    /// Returns when there is nothing left to do.
    void wait_for_end() {
      std::unique_lock lock(mutex);
      ended.wait(lock, [this] { return !is_running; });
    }
  };

  /// The tasks of all queues, whoever has a hold of them: for the end of the program.
  class all_running {
   public:
    [[nodiscard]] static all_running& of_process() {
      static auto& all = *new all_running;  // queues go on while the statics of a program are destroyed
      static const at_end waiting;
      return all;
    }

    /// The tasks of another queue.
    [[nodiscard]] std::shared_ptr<task_list> add() {
      auto tasks = std::make_shared<task_list>();
      const std::lock_guard lock(m_mutex);
      if (m_process.take_over()) m_lists.clear();
      std::erase_if(m_lists, [](const auto& each) { return each.expired(); });
      m_lists.push_back(tasks);
      return tasks;
    }

   private:
    struct at_end {
      ~at_end() {
        while (const std::shared_ptr<task_list> tasks = of_process().first()) tasks->wait_for_end();
      }
    };

    /// One that is running, on another thread than this.
    [[nodiscard]] std::shared_ptr<task_list> first() {
      const std::lock_guard lock(m_mutex);
      if (m_process.take_over()) m_lists.clear();
      for (const std::weak_ptr<task_list>& each : m_lists)
        if (std::shared_ptr<task_list> tasks = each.lock(); tasks != nullptr && tasks->is_running_elsewhere())
          return tasks;
      return nullptr;
    }

    std::mutex m_mutex;
    std::vector<std::weak_ptr<task_list>> m_lists;
    process_mark m_process;
  };

  /// In a process that was forked from the one that made this, the thread and its tasks are not there: nothing is
  /// waited for, and no task destroyed, whose files are the parent's.
  void forget_those_of_a_parent() {
    if (!m_process.take_over()) return;
    static auto& kept = *new std::deque<std::pair<std::thread, std::shared_ptr<task_list>>>;
    kept.emplace_back(std::move(m_thread), std::exchange(m_tasks, all_running::of_process().add()));
  }

  [[nodiscard]] std::shared_ptr<task_list> own_tasks() {
    const std::lock_guard lock(m_mutex);
    forget_those_of_a_parent();
    return m_tasks;
  }

  static bool& is_worker() noexcept {
    static thread_local bool is = false;
    return is;
  }

  std::mutex m_mutex;  // of the rest
  std::shared_ptr<task_list> m_tasks = all_running::of_process().add();
  std::thread m_thread;
  process_mark m_process;
};

}  // namespace ckpt

#endif
