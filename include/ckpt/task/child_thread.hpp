#ifndef CKPT_TASK_CHILD_THREAD_HPP
#define CKPT_TASK_CHILD_THREAD_HPP

#include <array>
#include <cstddef>
#include <cstdint>

#ifdef __linux__
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>
#endif

#include <ckpt/task/child_process.hpp>

namespace ckpt {

#ifdef __linux__

/// A second thread of a child_process, made without the C library, which would allocate and lock. What the C library
/// and the language keep for each thread it shares with the first, errno too: it may do nothing that allocates, locks,
/// throws, or calls what can fail, but what stands here. It ends with the process, which has one such thread at most.
class child_thread {
 public:
  constexpr child_thread() noexcept = default;

  /// Calls the member function `Work` of `self`, which must live as long as the process, as must this. Returns whether
  /// there is such a thread: not where the system has none to give, nor with a sanitizer, which keeps things for each
  /// thread, too.
  template <auto Work, class Self>
  [[nodiscard]] bool start(Self& self) noexcept {
    if (child_process::has_sanitizer()) return false;
    m_event = ::eventfd(0, 0);
    constexpr unsigned not_executable = 0x8;  // MFD_NOEXEC_SEAL, Linux 6.3, which logs a warning without it
    m_touched = ::memfd_create("touched", not_executable);
    if (m_touched < 0) m_touched = ::memfd_create("touched", 0);
    if (m_event < 0 || m_touched < 0) return false;
    constexpr auto run = [](void* of) {
      (static_cast<Self*>(of)->*Work)();
      return 0;
    };
    constexpr int shared = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
    return ::clone(run, stack.data() + stack.size(), shared, &self) > 0;
  }

  /// On the first thread: ends wait().
  void wake() const noexcept {
    constexpr std::uint64_t once = 1;
    [[maybe_unused]] const ssize_t ignored = ::write(m_event, &once, sizeof once);
  }

  /// On the second: returns once wake() has been called since it returned last.
  void wait() const noexcept {
    std::uint64_t times = 0;
    [[maybe_unused]] const ssize_t ignored = ::read(m_event, &times, sizeof times);
  }

  /// On the second: reads a byte of each page. In a forked process the first access to a page takes half a microsecond,
  /// in which the processor marks it as used. What cannot be read is left to the first thread: the kernel reads, into a
  /// file that is but memory.
  void touch(const std::byte* begin, std::size_t size) const noexcept {
    constexpr std::size_t page = 4096;
    std::array<iovec, 256> bytes;  // NOLINT(cppcoreguidelines-pro-type-member-init): as many as are counted
    for (std::size_t at = 0; at < size;) {
      std::size_t count = 0;
      for (; count < bytes.size() && at < size; ++count, at += page)
        bytes[count] = {const_cast<std::byte*>(begin + at), 1};  // it is not written to
      [[maybe_unused]] const ssize_t ignored = ::pwritev(m_touched, bytes.data(), static_cast<int>(count), 0);
    }
  }

 private:
  alignas(64) inline static constinit std::array<std::byte, std::size_t{32} << 10> stack{};

  int m_event = -1;
  int m_touched = -1;
};

#else

/// Elsewhere there is no child_process.
class child_thread {
 public:
  template <auto Work, class Self>
  [[nodiscard]] bool start(Self&) noexcept {
    return false;
  }
  void wake() const noexcept {}
  void wait() const noexcept {}
  void touch(const std::byte*, std::size_t) const noexcept {}
};

#endif

}  // namespace ckpt

#endif
