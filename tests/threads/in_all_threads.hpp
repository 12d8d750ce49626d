#ifndef CKPT_TESTS_THREADS_IN_ALL_THREADS_HPP
#define CKPT_TESTS_THREADS_IN_ALL_THREADS_HPP

#include <atomic>
#include <barrier>
#include <cstddef>
#include <exception>
#include <thread>
#include <vector>

inline constexpr std::size_t thread_count = 8;

/// Calls work(number) in all threads at once. Their number of exceptions.
template <class Work>
int failures_in_all(Work work) {
  std::atomic<int> failures{0};
  std::barrier start(static_cast<std::ptrdiff_t>(thread_count));
  std::vector<std::thread> threads;
  for (std::size_t number = 0; number < thread_count; ++number)
    threads.emplace_back([&, number] {
      start.arrive_and_wait();
      try {
        work(number);
      } catch (const std::exception&) {
        ++failures;
      }
    });
  for (std::thread& each : threads) each.join();
  return failures;
}

#endif
