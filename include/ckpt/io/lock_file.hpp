#ifndef CKPT_IO_LOCK_FILE_HPP
#define CKPT_IO_LOCK_FILE_HPP

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/io/file_descriptor.hpp>
#include <ckpt/io/system_call.hpp>

namespace ckpt {

/// A file that one object at a time holds, in this process or another. The end of the process frees it, however it
/// comes. The file stays, and holds the number of the process that had it last.
class lock_file {
 public:
  /// Throws usage_error with errc::in_use where another holds it, io_error where the system refuses, also where the
  /// file system has no locks.
  explicit lock_file(std::string path) : m_file(open(std::move(path))) {
    const std::error_code cause = m_file.try_lock();
    if (cause == std::errc::operation_would_block) refuse();
    if (cause) throw_io_error(cause, m_file.path(), "cannot lock the file");
    const std::string text = concat({std::to_string(::getpid()), "\n"});
    m_file.write_at(0, {reinterpret_cast<const std::byte*>(text.data()), text.size()});
    if (uninterrupted([&] { return ::ftruncate(m_file.get(), static_cast<off_t>(text.size())); }) != 0)
      throw_io_error(last_error(), m_file.path(), "cannot write");
  }

 private:
  static file_descriptor open(std::string path) {
    file_descriptor::refuse_nul(path);
    const int descriptor =
        uninterrupted([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644); });
    if (descriptor < 0) throw_io_error(last_error(), path, "cannot open");
    return {descriptor, std::move(path)};
  }

  [[noreturn]] void refuse() const {
    char digits[20];
    std::size_t size = m_file.read_at(0, reinterpret_cast<std::byte*>(digits), sizeof digits);
    for (std::size_t i = 0; i < size; ++i)
      if (digits[i] < '0' || digits[i] > '9') size = i;
    const std::string holder(digits, size);
    const bool is_unknown = size > 0 && size < 10 && ::kill(std::atoi(holder.c_str()), 0) != 0 && errno == ESRCH;
    throw usage_error(errc::in_use, {.path = m_file.path(), .found = holder},
                      holder.empty() ? "is held by another process"
                      : is_unknown
                          ? concat({"was taken by process ", holder,
                                    ", which is not there: a process that it has forked holds it, or it is one "
                                    "of another machine or container"})
                          : concat({"is held by process ", holder}));
  }

  file_descriptor m_file;
};

}  // namespace ckpt

#endif
