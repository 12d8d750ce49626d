#ifndef CKPT_IO_FILE_DESCRIPTOR_HPP
#define CKPT_IO_FILE_DESCRIPTOR_HPP

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <ckpt/core/error.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/core/short_text.hpp>
#include <ckpt/core/trivial_swap.hpp>
#include <ckpt/io/system_call.hpp>

namespace ckpt {

/// An open file of the operating system, closed by the destructor. Each call goes on after signals and short counts: it
/// does the whole of what it says or throws io_error, which names the path, what was tried and the reason. Without an
/// error nothing here allocates.
class file_descriptor {
 public:
  file_descriptor() noexcept = default;

  /// Takes over `descriptor`, which may be -1. `path` is what errors call the file.
  file_descriptor(int descriptor, std::string path) noexcept : m_descriptor(descriptor), m_path(std::move(path)) {}

  file_descriptor(file_descriptor&& other) noexcept
      : m_descriptor(other.m_descriptor), m_path(std::move(other.m_path)) {
    other.m_descriptor = -1;
  }
  file_descriptor& operator=(file_descriptor&& other) noexcept {
    trivial_swap(m_descriptor, other.m_descriptor);
    m_path.swap(other.m_path);
    return *this;
  }

  /// Closes without a word: where the content matters, sync() or close() has been called before.
  ~file_descriptor() {
    if (m_descriptor >= 0) ::close(m_descriptor);
  }

  /// Opens a regular file. A directory is an io_error, a pipe, socket or device (they have no size) a usage_error;
  /// neither blocks.
  [[nodiscard]] static file_descriptor open_for_reading(std::string path) {
    refuse_nul(path);
    // O_NONBLOCK means nothing for a regular file, and keeps a pipe without a writer from blocking.
    const int descriptor =
        uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); });
    if (descriptor < 0) throw_io_error(last_error(), path, "cannot open");
    file_descriptor file(descriptor, std::move(path));
    const mode_t mode = file.status().st_mode;
    if (S_ISDIR(mode)) throw_io_error(std::make_error_code(std::errc::is_a_directory), file.m_path, "cannot open");
    if (!S_ISREG(mode)) {
      throw usage_error(errc::unsupported, {.path = file.m_path},
                        "is a pipe, socket or device, not a file: read it into memory and load the bytes");
    }
    return file;
  }

  /// Opens a file, pipe or device that is read from its beginning to its end, by read_next().
  [[nodiscard]] static file_descriptor open_stream(std::string path) {
    refuse_nul(path);
    const int descriptor = uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY); });
    if (descriptor < 0) throw_io_error(last_error(), path, "cannot open");
    return {descriptor, std::move(path)};
  }

  /// Throws usage_error for a path that the operating system would cut short.
  static void refuse_nul(const std::string& path) {
    if (path.find('\0') != std::string::npos) {
      throw usage_error(errc::invalid_argument, {.path = path.c_str()}, "the path goes on after a NUL byte");
    }
  }

  [[nodiscard]] int get() const noexcept { return m_descriptor; }
  [[nodiscard]] const std::string& path() const noexcept { return m_path; }

  /// Bytes in the file now.
  [[nodiscard]] std::uint64_t size() const { return static_cast<std::uint64_t>(status().st_size); }

  /// Reads `size` bytes from byte `offset` on, or up to the end of the file. Returns the number of bytes read.
  std::size_t read_at(std::uint64_t offset, std::byte* to, std::size_t size) const {
    std::size_t done = 0;
    while (done < size) {
      const std::size_t count = size - done < largest_call ? size - done : largest_call;
      const ssize_t got =
          uninterrupted([&] { return ::pread(m_descriptor, to + done, count, static_cast<off_t>(offset + done)); });
      if (got < 0) throw_io_error(last_error(), m_path, "cannot read", offset + done);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  /// Reads the next `size` bytes of a stream, or up to its end. Returns the number of bytes read.
  std::size_t read_next(std::byte* to, std::size_t size) const {
    std::size_t done = 0;
    while (done < size) {
      const ssize_t got = uninterrupted([&] { return ::read(m_descriptor, to + done, size - done); });
      if (got < 0) throw_io_error(last_error(), m_path, "cannot read");
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  /// Writes `first` and then `second` to byte `offset` and on: in one system call where they are not larger than
  /// `largest_call` and the kernel takes them whole.
  void write_at(std::uint64_t offset, sequence<std::byte> first, sequence<std::byte> second = {}) {
    while (!first.empty() || !second.empty()) {
      const ssize_t put = uninterrupted([&] { return write_once(offset, first, second); });
      if (put < 0) throw_io_error(last_error(), m_path, "cannot write", offset);
      if (put == 0) throw_io_error(std::make_error_code(std::errc::io_error), m_path, "cannot write", offset);
      const auto count = static_cast<std::size_t>(put);
      const std::size_t of_first = count < first.size() ? count : first.size();
      first = first.subspan(of_first);
      second = second.subspan(count - of_first);
      offset += count;
    }
  }

  /// Makes room for `size` bytes, so that a full disk is found before the first byte is written. Returns false where
  /// the file system (or the operating system) cannot promise that; nothing has changed then.
  bool reserve(std::uint64_t size) {
    if (size == 0) return true;
#ifdef __linux__
    // Not posix_fallocate, which writes zeros where the file system has no such call. tmpfs starts over when a signal
    // comes, for ever under a profiler: then go on without.
    for (int attempt = 0; attempt < 100; ++attempt) {
      if (::fallocate(m_descriptor, 0, 0, static_cast<off_t>(size)) == 0) return true;
      if (errno == EINTR) continue;
      if (errno == EOPNOTSUPP || errno == ENOSYS) return false;
      const std::error_code cause = last_error();
      throw_io_error(cause, m_path, short_text().add("cannot reserve ").add(size).add(" bytes").view());
    }
#endif
    return false;
  }

  /// Asks the kernel to start writing these bytes to the disk and does not wait. Returns false where it cannot be
  /// asked.
  bool start_writeback(std::uint64_t offset, std::uint64_t size) {
#ifdef __linux__
    if (uninterrupted([&] {
          return ::sync_file_range(m_descriptor, static_cast<off_t>(offset), static_cast<off_t>(size),
                                   SYNC_FILE_RANGE_WRITE);
        }) == 0) {
      return true;
    }
    if (errno == ENOSYS || errno == EINVAL || errno == EOPNOTSUPP || errno == EPERM) return false;
    throw_io_error(last_error(), m_path, "cannot start writing to the disk", offset);
#else
    static_cast<void>(offset);
    static_cast<void>(size);
    return false;
#endif
  }

  /// Takes the lock of the file (flock), which lasts until all who have it open have closed it: whoever opened it, and
  /// the processes forked meanwhile. Returns the reason where that fails, operation_would_block where another has it.
  [[nodiscard]] std::error_code try_lock() const noexcept {
    if (uninterrupted([&] { return ::flock(m_descriptor, LOCK_EX | LOCK_NB); }) == 0) return {};
    return last_error();
  }

  /// Marks the file as being written, until every process that has it open is gone. Returns false where it is no file
  /// any more: somebody took it for one that a dead process had left and removed it.
  [[nodiscard]] bool hold() const noexcept {
    if (try_lock() == std::errc::operation_would_block)
      return false;  // any other error: a file system without locks, on which nobody removes anything
    struct stat status{};
    return ::fstat(m_descriptor, &status) != 0 || status.st_nlink > 0;
  }

  /// Sets the permission bits, whatever the umask.
  void set_mode(unsigned mode) {
    if (uninterrupted([&] { return ::fchmod(m_descriptor, static_cast<mode_t>(mode)); }) == 0) return;
    const std::error_code cause = last_error();
    throw_io_error(cause, m_path, short_text().add("cannot set the mode to 0").add(mode, 8, 3).view());
  }

  /// A second descriptor of the same open file: its lock is there until both are closed. None where the system has no
  /// more to give.
  [[nodiscard]] file_descriptor duplicate() const noexcept {
    return {::fcntl(m_descriptor, F_DUPFD_CLOEXEC, 0), std::string()};
  }

  /// Returns when the content is on the disk. An error is final: the kernel may have dropped what it could not write,
  /// so a second call that succeeds means nothing.
  void sync() {
    if (uninterrupted([&] { return ::fsync(m_descriptor); }) != 0) throw_io_error(last_error(), m_path, "cannot sync");
  }

  /// Closes, and reports what a network file system finds only now. The descriptor is gone either way.
  void close() {
    if (m_descriptor < 0) return;
    // After EINTR the descriptor is closed on Linux, and a second try could close another thread's file.
    const int closed = m_descriptor;
    m_descriptor = -1;
    if (::close(closed) != 0 && errno != EINTR) throw_io_error(last_error(), m_path, "cannot close");
  }

  /// The most bytes given to one call; Linux takes no more than 2^31 - 4096, macOS no more than 2^31 - 1.
  static constexpr std::size_t largest_call = std::size_t{1} << 30;

 private:
  [[nodiscard]] struct stat status() const {
    struct stat status{};
    if (uninterrupted([&] { return ::fstat(m_descriptor, &status); }) != 0)
      throw_io_error(last_error(), m_path, "cannot read the size");
    return status;
  }

  [[nodiscard]] ssize_t write_once(std::uint64_t offset, sequence<std::byte> first,
                                   sequence<std::byte> second) const noexcept {
    if (first.empty()) {
      first = second;
      second = {};
    }
    if (first.size() > largest_call) first = first.first(largest_call);
    if (second.empty() || first.size() == largest_call)
      return ::pwrite(m_descriptor, first.data(), first.size(), static_cast<off_t>(offset));
    if (second.size() > largest_call - first.size()) second = second.first(largest_call - first.size());
    const iovec parts[2] = {{const_cast<std::byte*>(first.data()), first.size()},
                            {const_cast<std::byte*>(second.data()), second.size()}};
    return ::pwritev(m_descriptor, parts, 2, static_cast<off_t>(offset));
  }

  int m_descriptor = -1;
  std::string m_path;
};

}  // namespace ckpt

#endif
