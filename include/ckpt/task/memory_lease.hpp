#ifndef CKPT_TASK_MEMORY_LEASE_HPP
#define CKPT_TASK_MEMORY_LEASE_HPP

#include <condition_variable>
#include <cstdint>
#include <mutex>

#include <ckpt/task/process_mark.hpp>

namespace ckpt {

/// A part of the memory that all encrypted saves of this process together may have in flight. Where others have too
/// much of it, the constructor waits until they are done; what is larger than all of it waits until it is alone.
/// Nobody asks for a second lease before giving the first one back, so that all get theirs in the end.
class memory_lease {
 public:
  /// Of the whole process, in bytes.
  static constexpr std::uint64_t limit = std::uint64_t{1} << 30;

  explicit memory_lease(std::uint64_t size) : m_size(size < limit ? size : limit) {
    pool& all = shared();
    std::unique_lock lock(all.mutex);
    if (all.process.take_over()) all.leased = 0;  // nobody here gives back what its parent had
    all.given_back.wait(lock, [&] { return all.leased + m_size <= limit; });
    all.leased += m_size;
  }
  memory_lease(const memory_lease&) = delete;
  memory_lease& operator=(const memory_lease&) = delete;
  ~memory_lease() {
    if (!m_process.is_here()) return;  // it is counted where it was taken
    pool& all = shared();
    {
      const std::lock_guard lock(all.mutex);
      all.leased -= m_size;
    }
    all.given_back.notify_all();
  }

  /// Bytes that are leased now.
  [[nodiscard]] static std::uint64_t leased() {
    pool& all = shared();
    const std::lock_guard lock(all.mutex);
    return all.leased;
  }

 private:
  struct pool {
    std::mutex mutex;
    std::condition_variable given_back;
    std::uint64_t leased = 0;
    process_mark process;
  };

  // The one thing that is shared by all that a process does here: a limit for the process cannot be elsewhere.
  static pool& shared() {
    static pool all;
    return all;
  }

  std::uint64_t m_size;
  process_mark m_process;
};

}  // namespace ckpt

#endif
