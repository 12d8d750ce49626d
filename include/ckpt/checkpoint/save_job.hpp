#ifndef CKPT_CHECKPOINT_SAVE_JOB_HPP
#define CKPT_CHECKPOINT_SAVE_JOB_HPP

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <coroutine>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include <ckpt/checkpoint/options.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/task/background_queue.hpp>
#include <ckpt/task/process_mark.hpp>

namespace ckpt {

namespace detail {

/// What a save in the background and the one who waits for it share.
class job_state {
 public:
  job_state(std::string path, std::uint64_t total, std::function<void(const std::exception&)> on_error)
      : m_path(std::move(path)), m_on_error(std::move(on_error)), m_total(total) {}
  job_state(const job_state&) = delete;
  job_state& operator=(const job_state&) = delete;
  virtual ~job_state() = default;

  /// What errors call the file.
  [[nodiscard]] const std::string& path() const noexcept { return m_path; }

  [[nodiscard]] bool is_done() const {
    const std::lock_guard lock(m_mutex);
    return m_is_done;
  }
  /// Whether nothing of what is saved is looked at any more.
  [[nodiscard]] virtual bool is_staged() const = 0;
  /// At once in a process that was forked meanwhile: nobody would end the wait.
  void wait() const {
    std::unique_lock lock(m_mutex);
    m_changed.wait(lock, [this] { return is_over(); });
  }
  [[nodiscard]] bool wait_until(std::chrono::steady_clock::time_point when) const {
    std::unique_lock lock(m_mutex);
    m_changed.wait_until(lock, when, [this] { return is_over(); });
    return m_is_done;
  }

  [[nodiscard]] ckpt::progress progress() const noexcept {
    return {.done = m_written.load(std::memory_order_relaxed), .total = m_total};
  }
  void advance(std::uint64_t written) noexcept { m_written.store(written, std::memory_order_relaxed); }

  virtual void cancel() noexcept { m_is_cancelled.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool is_cancelled() const noexcept { return m_is_cancelled.load(std::memory_order_relaxed); }
  [[noreturn]] void throw_cancelled() const {
    throw job_error(errc::cancelled, {.path = m_path}, "the save was cancelled; the file is as it was");
  }

  /// The outcome, for whoever asks; throws it where it is an error.
  [[nodiscard]] save_report result() {
    std::unique_lock lock(m_mutex);
    m_changed.wait(lock, [this] { return is_over(); });
    if (!m_is_done)
      throw job_error(errc::unsupported, {.path = m_path},
                      "the save is that of the process which this one was forked from: only that knows its outcome");
    m_is_delivered = true;
    if (m_error) std::rethrow_exception(m_error);
    return m_report;
  }

  void finish(save_report report) noexcept {
    settle([&] { m_report = std::move(report); });
  }
  void fail(std::exception_ptr error) noexcept {
    settle([&] { m_error = std::move(error); });
  }

  /// The handle is gone: nobody will ask for the outcome.
  void abandon() noexcept {
    bool is_lost = false;
    {
      const std::lock_guard lock(m_mutex);
      m_is_abandoned = true;
      is_lost = m_is_done && take_undelivered();
    }
    if (is_lost) tell();
  }

  /// Resumes the coroutine when the save is done, on the thread that did it. False where it is done already.
  [[nodiscard]] bool resume_when_done(std::coroutine_handle<> waiting) {
    const std::lock_guard lock(m_mutex);
    if (!m_is_done) m_waiting = waiting;
    return !m_is_done;
  }

 private:
  /// Whether there is nothing to wait for; m_mutex is held.
  [[nodiscard]] bool is_over() const noexcept { return m_is_done || !m_process.is_here(); }

  template <class Store>
  void settle(Store store) noexcept {
    bool is_lost = false;
    std::coroutine_handle<> waiting;
    {
      const std::lock_guard lock(m_mutex);
      store();
      m_is_done = true;
      is_lost = m_is_abandoned && take_undelivered();
      waiting = std::exchange(m_waiting, {});
    }
    m_changed.notify_all();
    if (is_lost) tell();
    if (waiting) waiting.resume();
  }

  /// Whether there is an error that nobody has seen and somebody should: the one who cancels a save knows.
  [[nodiscard]] bool take_undelivered() noexcept {
    return m_error && !is_cancelled() && !std::exchange(m_is_delivered, true);
  }

  void tell() noexcept {
    try {
      std::rethrow_exception(m_error);
    } catch (const std::exception& error) {
      if (!tell_handler(error)) (void)std::fprintf(stderr, "ckpt: a save in the background failed: %s\n", error.what());
    } catch (...) {
      (void)std::fprintf(stderr, "ckpt: a save in the background failed: %s: a callback threw\n", m_path.c_str());
    }
  }

  /// Whether there is a handler that took it.
  [[nodiscard]] bool tell_handler(const std::exception& error) const noexcept {
    try {
      if (m_on_error) m_on_error(error);
      return m_on_error != nullptr;
    } catch (...) {
      return false;
    }
  }

  const process_mark m_process;
  const std::string m_path;
  const std::function<void(const std::exception&)> m_on_error;
  const std::uint64_t m_total;
  std::atomic<std::uint64_t> m_written{0};
  std::atomic<bool> m_is_cancelled{false};
  mutable std::mutex m_mutex;
  mutable std::condition_variable m_changed;
  save_report m_report;
  std::exception_ptr m_error;
  std::coroutine_handle<> m_waiting;
  bool m_is_done = false;
  bool m_is_delivered = false;
  bool m_is_abandoned = false;
};

}  // namespace detail

/// A save in the background. Whoever drops it without asking for the outcome does not end the save, and an error of it
/// is told to the handler of its options, or on stderr. All but the destructor and moving may be called by several
/// threads at a time; of one that was moved from, nothing.
class [[nodiscard]] save_job {
 public:
  explicit save_job(std::shared_ptr<detail::job_state> state) noexcept : m_state(std::move(state)) {}
  save_job(save_job&&) noexcept = default;
  save_job& operator=(save_job&& other) noexcept {
    save_job gone(std::move(*this));
    m_state = std::move(other.m_state);
    return *this;
  }
  ~save_job() {
    if (m_state != nullptr) m_state->abandon();
  }

  /// Waits, and says what the save did, or throws what went wrong: what save() throws, and job_error where it was
  /// cancelled or its process ended before the file was complete. On the thread of a queue, which must not wait for
  /// saves, usage_error where it is not done.
  save_report get() {
    check_may_wait();
    return m_state->result();
  }

  /// Waits until it is done; on the thread of a queue as get(). In a process that the program has forked meanwhile
  /// there is nothing to wait for: wait() returns at once, and get() throws job_error.
  void wait() const {
    check_may_wait();
    m_state->wait();
  }
  /// Whether it is done after at most so long.
  template <class Rep, class Period>
  [[nodiscard]] bool wait_for(std::chrono::duration<Rep, Period> most) const {
    using clock = std::chrono::steady_clock;
    const clock::time_point now = clock::now();
    // Longer than the clock can count is for ever.
    const std::chrono::duration<double> longest = clock::time_point::max() - now;
    const bool is_counted = std::chrono::duration<double>(most) < longest;
    return m_state->wait_until(is_counted ? now + std::chrono::ceil<clock::duration>(most) : clock::time_point::max());
  }

  /// Whether the save has ended, well or not.
  [[nodiscard]] bool done() const { return m_state->is_done(); }
  /// Whether what is saved may be changed: at once, but with async::borrow only when it is done.
  [[nodiscard]] bool staged() const { return m_state->is_staged(); }
  /// Bytes of the file.
  [[nodiscard]] ckpt::progress progress() const noexcept { return m_state->progress(); }

  /// Asks for the save to end; returns at once. get() then throws job_error with errc::cancelled and the old file is
  /// whole; or returns a report as ever, where the new file was in place already.
  void cancel() noexcept { m_state->cancel(); }

  /// `ckpt::save_report report = co_await job;`: get() without a thread that waits. The coroutine goes on on the thread
  /// that did the save, and keeps later saves of the queue waiting until it suspends again or ends. One at a time.
  [[nodiscard]] auto operator co_await() const noexcept {
    struct awaiter {
      std::shared_ptr<detail::job_state> state;
      [[nodiscard]] bool await_ready() const { return state->is_done(); }
      [[nodiscard]] bool await_suspend(std::coroutine_handle<> waiting) const {
        return state->resume_when_done(waiting);
      }
      save_report await_resume() const { return state->result(); }
    };
    return awaiter{m_state};
  }

 private:
  void check_may_wait() const {
    if (background_queue::is_calling() && !m_state->is_done())
      throw usage_error(errc::invalid_argument, {.path = m_state->path()},
                        concat({"the save is not done", background_queue::must_not_wait}));
  }

  std::shared_ptr<detail::job_state> m_state;
};

}  // namespace ckpt

#endif
