#ifndef CKPT_IO_DIRECTORY_HPP
#define CKPT_IO_DIRECTORY_HPP

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/vfs.h>
#endif

#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/io/file_descriptor.hpp>
#include <ckpt/io/system_call.hpp>

namespace ckpt {

/// An open directory. Files are named relative to it, so neither a change of the working directory nor moving the
/// directory disturbs what has begun. Errors name the file that all is done for, not the directory.
class directory {
 public:
  /// What opening is for: a directory in which one may write but not read can be used, not synced.
  enum class use : unsigned char { without_sync, with_sync };

  directory(const std::string& path, use purpose, std::string file) : m_directory(-1, std::move(file)) {
    int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
#ifdef O_PATH
    if (purpose == use::without_sync) flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
#else
    static_cast<void>(purpose);
#endif
    std::string name = this->file();  // before there is a descriptor to be lost
    const int descriptor = uninterrupted([&] { return ::open(path.c_str(), flags); });
    if (descriptor < 0) {
      const std::error_code cause = last_error();
      throw_io_error(cause, this->file(), concat({"cannot open the directory \"", path, "\""}));
    }
    m_directory = file_descriptor(descriptor, std::move(name));
  }

  /// The file that all is done for.
  [[nodiscard]] const std::string& file() const noexcept { return m_directory.path(); }

  [[nodiscard]] int descriptor() const noexcept { return m_directory.get(); }

  /// Throws io_error when `name` is a directory, usage_error when it is a device, pipe or socket: those must not be
  /// replaced by a file.
  void require_replaceable(const std::string& name) const {
    struct stat status{};
    if (uninterrupted([&] { return ::fstatat(m_directory.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW); }) != 0) {
      if (errno == ENOENT) return;
      throw_io_error(last_error(), file(), "cannot write there");
    }
    if (S_ISDIR(status.st_mode))
      throw_io_error(std::make_error_code(std::errc::is_a_directory), file(), "cannot write there");
    if (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode)) {
      throw usage_error(errc::invalid_argument, {.path = file()},
                        "is a pipe, socket or device, not a file: choose another path");
    }
  }

  /// Makes a new file that only its owner can read and write, open for writing. Returns one without descriptor where
  /// the name is taken.
  [[nodiscard]] file_descriptor create(const std::string& name) const {
    std::string path = file();
    const int descriptor = uninterrupted([&] {
      return ::openat(m_directory.get(), name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                      S_IRUSR | S_IWUSR);
    });
    if (descriptor < 0 && errno != EEXIST)
      throw_io_error(last_error(), file(), "cannot create a temporary file beside it");
    return {descriptor, std::move(path)};
  }

  /// Gives the file `from` the name `to`, in one step; a file of that name is gone.
  void rename(const std::string& from, const std::string& to) const {
    if (uninterrupted([&] { return ::renameat(m_directory.get(), from.c_str(), m_directory.get(), to.c_str()); }) !=
        0) {
      throw_io_error(last_error(), file(), "cannot rename the temporary file to it");
    }
  }

  /// Opens a file only to know it again, by holds(): for as long as it is open no other can be taken for it. Returns
  /// one without descriptor where there is none. Throws io_error.
  [[nodiscard]] file_descriptor open_to_know(const std::string& name) const {
    std::string path = file();
#ifdef O_PATH
    constexpr int flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
#else
    constexpr int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
#endif
    const int descriptor = uninterrupted([&] { return ::openat(m_directory.get(), name.c_str(), flags); });
    if (descriptor < 0 && errno != ENOENT) throw_io_error(last_error(), path, "cannot look at it");
    return {descriptor, std::move(path)};
  }

  /// Whether there is something of that name.
  [[nodiscard]] bool has(const std::string& name) const noexcept {
    struct stat status{};
    return ::fstatat(m_directory.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
  }

  /// Whether `name` is that very file.
  [[nodiscard]] bool holds(const std::string& name, const file_descriptor& file) const noexcept {
    struct stat here{};
    struct stat there{};
    return ::fstatat(m_directory.get(), name.c_str(), &here, AT_SYMLINK_NOFOLLOW) == 0 &&
           ::fstat(file.get(), &there) == 0 && here.st_dev == there.st_dev && here.st_ino == there.st_ino;
  }

  /// Returns the reason where the system refuses; that there is no such file is none.
  std::error_code remove(const std::string& name) const noexcept {
    if (uninterrupted([&] { return ::unlinkat(m_directory.get(), name.c_str(), 0); }) == 0 || errno == ENOENT)
      return {};
    return last_error();
  }

  /// Returns when the names are on the disk; false where the file system has no such call for directories. `otherwise`
  /// is what an error says may happen.
  bool sync(
      std::string_view otherwise = "the new file is in place, but a power cut may still bring back the old one") const {
    if (uninterrupted([&] { return ::fsync(m_directory.get()); }) == 0) return true;
    if (errno == EINVAL || errno == ENOTSUP) return false;
    const std::error_code cause = last_error();
    throw_io_error(cause, file(), concat({otherwise, ": cannot sync the directory"}));
  }

  /// The longest name that fits, in bytes.
  [[nodiscard]] std::size_t longest_name() const noexcept {
    const long longest = ::fpathconf(m_directory.get(), _PC_NAME_MAX);
    return longest > 0 ? static_cast<std::size_t>(longest) : 255;
  }

  /// Whether files here are kept in memory only (tmpfs, ramfs), so that no sync makes them last.
  [[nodiscard]] bool is_in_memory() const noexcept {
#ifdef __linux__
    struct statfs status{};
    if (uninterrupted([&] { return ::fstatfs(m_directory.get(), &status); }) != 0) return false;
    const auto type = static_cast<unsigned long>(status.f_type);
    return type == 0x01021994UL || type == 0x858458f6UL;
#else
    return false;
#endif
  }

 private:
  file_descriptor m_directory;
};

}  // namespace ckpt

#endif
