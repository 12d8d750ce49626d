#ifndef CKPT_TASK_CHILD_THREAD_HPP
#define CKPT_TASK_CHILD_THREAD_HPP

#include <array>
#include <cstddef>
#include <cstdint>

#ifdef __linux__
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
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
  /// file that is but memory. (Not on every processor: errno is the first thread's.)
  void touch(const std::byte* begin, std::size_t size) const noexcept {
    constexpr std::size_t page = 4096;
    std::array<iovec, 256> bytes;  // NOLINT(cppcoreguidelines-pro-type-member-init): as many as are counted
    for (std::size_t at = 0; at < size;) {
      std::size_t count = 0;
      for (; count < bytes.size() && at < size; ++count, at += page)
        bytes[count] = {const_cast<std::byte*>(begin + at), 1};  // it is not written to
      write_to(m_touched, bytes.data(), count);
    }
  }

 private:
  /// Writes to the beginning of a file, as ::pwritev, which would set the errno of both threads where it fails. (None
  /// of the registers is const: of a constant GCC takes the value, and another register.)
  static void write_to(int file, const iovec* parts, std::size_t count) noexcept {
#if defined(__x86_64__) && !defined(__ILP32__)
    register long begin_low __asm__("r10") = 0;
    register long begin_high __asm__("r8") = 0;
    long result = SYS_pwritev;
    __asm__ __volatile__("syscall"
                         : "+a"(result)
                         : "D"(long{file}), "S"(parts), "d"(count), "r"(begin_low), "r"(begin_high)
                         : "rcx", "r11", "memory");
#elif defined(__aarch64__)
    register long result __asm__("x0") = file;
    register const iovec* from __asm__("x1") = parts;
    register std::size_t how_many __asm__("x2") = count;
    register long begin_low __asm__("x3") = 0;
    register long begin_high __asm__("x4") = 0;
    register long call __asm__("x8") = SYS_pwritev;
    __asm__ __volatile__("svc 0"
                         : "+r"(result)
                         : "r"(from), "r"(how_many), "r"(begin_low), "r"(begin_high), "r"(call)
                         : "memory");
#else
    static_cast<void>(file), static_cast<void>(parts), static_cast<void>(count);
#endif
  }

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
