#ifndef CKPT_TASK_CHILD_PROCESS_HPP
#define CKPT_TASK_CHILD_PROCESS_HPP

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <utility>

#ifdef __linux__
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

#include <ckpt/core/function_ref.hpp>
#include <ckpt/io/file_descriptor.hpp>
#include <ckpt/io/system_call.hpp>

#ifdef __linux__
// What a sanitizer wants to be told around a fork that it does not see; there is none where no sanitizer is linked. Its
// own locks are free in the child then. They are taken in between, where nothing may need one: no memory access that it
// watches.
extern "C" {
[[gnu::weak]] void __sanitizer_syscall_pre_impl_fork();              // NOLINT(bugprone-reserved-identifier)
[[gnu::weak]] void __sanitizer_syscall_post_impl_fork(long result);  // NOLINT(bugprone-reserved-identifier)
}
#endif

namespace ckpt {

/// How a process ended.
struct exit_status {
  bool by_signal = false;
  int number = 0;        ///< the signal, or what it gave to exit
  bool is_known = true;  ///< false where the application has reaped it, by a wait for all kinds of children

  [[nodiscard]] bool is_success() const noexcept { return is_known && !by_signal && number == 0; }
};

#ifdef __linux__

/// The child's end of its connection to the parent. Nothing here allocates, locks or throws.
class child_channel {
 public:
  /// `parent`: readable when the parent has ended. Its end of the socket says too little: other processes that it has
  /// forked have it, too.
  child_channel(int socket, int parent) noexcept : m_socket(socket), m_parent(parent) {}

  /// Returns when the parent says go; false where the parent is gone and never will.
  [[nodiscard]] bool wait_for_go() const noexcept {
    wait_until(POLLIN);
    std::byte go{};
    return uninterrupted([&] { return ::recv(m_socket, &go, 1, MSG_DONTWAIT); }) == 1;
  }

  /// Whether the parent has neither ended nor become another program (exec), which closes its end of the socket.
  [[nodiscard]] bool has_parent() const noexcept {
    std::array<pollfd, 2> either{{{m_socket, 0, 0}, {m_parent, POLLIN, 0}}};
    return uninterrupted([&] { return ::poll(either.data(), either.size(), 0); }) == 0;
  }

  /// A message that must arrive, while there is a parent.
  void send(std::span<const std::byte> message) const noexcept {
    wait_until(POLLOUT);
    offer(message);
  }
  /// One that may be left out when the parent is slow to read.
  void offer(std::span<const std::byte> message) const noexcept {
    (void)::send(m_socket, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  /// Ends the child. Not _exit(), in place of which a sanitizer has a function that does more.
  [[noreturn]] static void leave(int code) noexcept {
    for (;;) (void)::syscall(SYS_exit_group, code);
  }

 private:
  void wait_until(short what) const noexcept {
    std::array<pollfd, 2> either{{{m_socket, what, 0}, {m_parent, POLLIN, 0}}};
    (void)uninterrupted([&] { return ::poll(either.data(), either.size(), -1); });
  }

  int m_socket;
  int m_parent;
};

/// A forked process that works on the memory as it was when it was made, and that this program's own wait() and SIGCHLD
/// never see. It starts with every signal blocked and every descriptor closed but those that it is given, so that it is
/// neither interrupted nor keeps anything of the parent's open. It lives on when the parent ends.
class child_process {
 public:
  /// Whether there can be one. What is missing elsewhere: Linux 5.9.
  [[nodiscard]] static bool is_available() noexcept {
#ifdef SYS_close_range
    return ::syscall(SYS_close_range, ~0U, ~0U, 0U) == 0;
#else
    return false;
#endif
  }

  /// Whether a sanitizer is linked, to which threads that it has not seen made are trouble.
  [[nodiscard]] static bool has_sanitizer() noexcept { return __sanitizer_syscall_pre_impl_fork != nullptr; }

  /// Forks. In the child, `work` runs, and the process ends when it returns. Other threads of this program may hold any
  /// lock at that moment, that of malloc too, so that `work` must neither allocate nor free, lock or throw: only
  /// async-signal-safe calls. `kept` are the descriptors that it uses. Throws io_error.
  child_process(std::span<const int> kept, const std::string& label, function_ref<void(const child_channel&)> work) {
    // Before there are descriptors and a process to be lost: what throws leaves them behind.
    std::string own = label;
    std::string other = label;
    std::string name = label;
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
      throw_io_error(last_error(), label, "cannot make a connection to a saving process");
    m_socket = file_descriptor(ends[0], std::move(own));
    const file_descriptor theirs(ends[1], std::move(other));
    const file_descriptor parent = own_process(label);
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    int descriptor = -1;
    const long pid = fork_hidden(descriptor);
    if (pid == 0) {
      close_all_but(kept, std::array{theirs.get(), parent.get()});
      work(child_channel(theirs.get(), parent.get()));
      child_channel::leave(0);
    }
    const std::error_code cause = last_error();
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (pid < 0) throw_io_error(cause, label, "cannot fork a saving process");
    m_pid = static_cast<int>(pid);
    m_process = file_descriptor(descriptor, std::move(name));
  }
  child_process(child_process&&) = delete;

  /// A child that was not waited for is killed and reaped.
  ~child_process() {
    if (m_process.get() < 0 || m_is_reaped) return;
    kill();
    (void)wait();
  }

  [[nodiscard]] int pid() const noexcept { return m_pid; }
  /// One of the caller's own that is readable when the process has ended.
  [[nodiscard]] file_descriptor descriptor() const {
    file_descriptor copy = m_process.duplicate();
    if (copy.get() < 0) throw_io_error(last_error(), m_process.path(), "cannot copy a descriptor");
    return copy;
  }

  /// Ends child_channel::wait_for_go.
  void go() noexcept {
    constexpr std::byte word{1};
    if (uninterrupted([&] { return ::send(m_socket.get(), &word, 1, MSG_NOSIGNAL); }) != 1)
      (void)::shutdown(m_socket.get(), SHUT_WR);  // then it goes on as if there were no parent
  }

  /// Ends the process at once, if it has not ended.
  void kill() noexcept {
#ifdef SYS_pidfd_send_signal
    (void)::syscall(SYS_pidfd_send_signal, m_process.get(), SIGKILL, nullptr, 0U);
#endif
  }

  enum class event : unsigned char { message, end, timeout };

  /// Waits for a message, which `to` must be large enough for, or for the end of the process; messages come before
  /// the end.
  [[nodiscard]] event receive(std::span<std::byte> to, std::optional<std::chrono::milliseconds> most) noexcept {
    std::array<pollfd, 2> what{{{m_socket.get(), POLLIN, 0}, {m_process.get(), POLLIN, 0}}};
    const int timeout = !most ? -1 : static_cast<int>(std::min<std::chrono::milliseconds::rep>(most->count(), 1 << 30));
    const int ready = uninterrupted([&] { return ::poll(what.data(), what.size(), timeout); });
    if (ready == 0) return event::timeout;
    // A connection that was closed reads as nothing: then the end is near.
    if (uninterrupted([&] { return ::recv(m_socket.get(), to.data(), to.size(), MSG_DONTWAIT); }) > 0)
      return event::message;
    return event::end;
  }

  /// Reaps the process when it has ended.
  exit_status wait() noexcept {
    siginfo_t how{};
    // Without SIGCHLD it is a child that only __WALL asks for.
    const auto kind = static_cast<idtype_t>(3);  // P_PIDFD, which glibc has had since 2.36
    const int result =
        uninterrupted([&] { return ::waitid(kind, static_cast<id_t>(m_process.get()), &how, WEXITED | __WALL); });
    m_is_reaped = true;
    if (result != 0) return {.is_known = false};
    return {.by_signal = how.si_code != CLD_EXITED, .number = how.si_status};
  }

  /// For a child: returns when the process with that descriptor has ended.
  static void wait_for(int descriptor) noexcept {
    pollfd what{descriptor, POLLIN, 0};
    (void)uninterrupted([&] { return ::poll(&what, 1, -1); });
  }

 private:
  /// fork() without what the C library does before and after, which takes locks, and with a process descriptor in place
  /// of a signal at the end.
  [[gnu::no_sanitize_thread]] static long fork_hidden(int& descriptor) noexcept {
    constexpr unsigned long pidfd = 0x1000;  // CLONE_PIDFD, Linux 5.2
    if (__sanitizer_syscall_pre_impl_fork != nullptr) __sanitizer_syscall_pre_impl_fork();
    const long pid = ::syscall(SYS_clone, pidfd, nullptr, &descriptor, nullptr, nullptr);
    const int reason = errno;
    if (__sanitizer_syscall_post_impl_fork != nullptr) __sanitizer_syscall_post_impl_fork(pid);
    errno = reason;
    return pid;
  }

  /// This process, to a child.
  [[nodiscard]] static file_descriptor own_process(const std::string& label) {
#ifdef SYS_pidfd_open
    std::string name = label;
    const auto descriptor = static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0U));
    if (descriptor < 0) throw_io_error(last_error(), label, "cannot open a descriptor of the process");
    return {descriptor, std::move(name)};
#else
    throw_io_error(std::make_error_code(std::errc::function_not_supported), label, "cannot fork a saving process");
#endif
  }

  static void close_all_but(std::span<const int> kept, std::span<const int> own) noexcept {
#ifdef SYS_close_range
    unsigned next = 0;
    for (;;) {
      unsigned first = ~0U;  // of those kept, from `next` on
      for (const std::span<const int> descriptors : {kept, own})
        for (const int each : descriptors)
          if (each >= 0 && static_cast<unsigned>(each) >= next) first = std::min(first, static_cast<unsigned>(each));
      if (first > next) (void)::syscall(SYS_close_range, next, first == ~0U ? first : first - 1, 0U);
      if (first == ~0U) return;
      next = first + 1;
    }
#else
    static_cast<void>(kept);
    static_cast<void>(own);
#endif
  }

  file_descriptor m_socket;
  file_descriptor m_process;
  int m_pid = -1;
  bool m_is_reaped = false;
};

#else

/// Elsewhere there is none, as is_available() says.
class child_channel {
 public:
  [[nodiscard]] bool wait_for_go() const noexcept { return false; }
  [[nodiscard]] bool has_parent() const noexcept { return false; }
  void send(std::span<const std::byte>) const noexcept {}
  void offer(std::span<const std::byte>) const noexcept {}
  [[noreturn]] static void leave(int code) noexcept { std::_Exit(code); }
};

class child_process {
 public:
  enum class event : unsigned char { message, end, timeout };

  [[nodiscard]] static bool is_available() noexcept { return false; }
  child_process(std::span<const int>, const std::string& label, function_ref<void(const child_channel&)>) {
    throw_io_error(std::make_error_code(std::errc::function_not_supported), label, "cannot fork a saving process");
  }
  [[nodiscard]] file_descriptor descriptor() const { return {}; }
  void go() noexcept {}
  void kill() noexcept {}
  [[nodiscard]] event receive(std::span<std::byte>, std::optional<std::chrono::milliseconds>) noexcept {
    return event::end;
  }
  exit_status wait() noexcept { return {.is_known = false}; }
  static void wait_for(int) noexcept {}
};

#endif

}  // namespace ckpt

#endif
