#ifndef CKPT_TASK_PARALLEL_HPP
#define CKPT_TASK_PARALLEL_HPP

#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include <ckpt/core/function_ref.hpp>
#include <ckpt/task/signals_left_to_others.hpp>

namespace ckpt {

/// What the workers of one run_parallel() share.
class parallel_work {
 public:
  /// The next piece of work, from 0 on; `count` or more when there is none left or another worker has failed.
  [[nodiscard]] std::size_t take(std::size_t count) noexcept {
    return is_stopped() ? count : m_next.fetch_add(1, std::memory_order_relaxed);
  }
  [[nodiscard]] bool is_stopped() const noexcept { return m_stopped.load(std::memory_order_relaxed); }

  /// Adds to what all workers have done, and returns it.
  std::uint64_t advance(std::uint64_t done) noexcept {
    return m_done.fetch_add(done, std::memory_order_relaxed) + done;
  }
  [[nodiscard]] std::uint64_t done() const noexcept { return m_done.load(std::memory_order_relaxed); }

 private:
  friend void run_parallel(unsigned, function_ref<void(parallel_work&, unsigned)>);

  void fail(std::exception_ptr error) noexcept {
    const std::lock_guard lock(m_mutex);
    if (!m_error) m_error = std::move(error);
    m_stopped = true;
  }

  std::atomic<std::size_t> m_next{0};
  std::atomic<std::uint64_t> m_done{0};
  std::atomic<bool> m_stopped{false};
  std::mutex m_mutex;
  std::exception_ptr m_error;
};

/// Runs `work(shared, worker)` on `workers` threads at once, for worker 0 to workers - 1, and returns when all are
/// done. Worker 0 is the calling thread: callbacks of the user are called there. The first exception stops the others,
/// as they see by take() and is_stopped(), and is thrown here. Fewer threads where the system has no more to give, nor
/// memory for them: the work that take() hands out is done all the same. With one worker no thread is made.
inline void run_parallel(unsigned workers, function_ref<void(parallel_work&, unsigned)> work) {
  parallel_work shared;
  const auto run = [&](unsigned worker) noexcept {
    try {
      work(shared, worker);
    } catch (...) {
      shared.fail(std::current_exception());
    }
  };
  std::vector<std::thread> threads;
  try {
    const signals_left_to_others meanwhile;
    threads.reserve(workers - 1);
    for (unsigned worker = 1; worker < workers; ++worker) threads.emplace_back(run, worker);
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): those that there are do the work
  }
  run(0);
  for (std::thread& thread : threads) thread.join();
  if (shared.m_error) std::rethrow_exception(shared.m_error);
}

}  // namespace ckpt

#endif
