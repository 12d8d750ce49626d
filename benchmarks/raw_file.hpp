#ifndef CKPT_BENCHMARKS_RAW_FILE_HPP
#define CKPT_BENCHMARKS_RAW_FILE_HPP

#include <cerrno>
#include <cstddef>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bench {

/// A descriptor without anything around it: what the machine itself gives. Every failure is a std::system_error.
class raw_file {
 public:
  raw_file(const std::string& path, int flags) : m_descriptor(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {
    check(m_descriptor, "open");
  }
  raw_file(const raw_file&) = delete;
  raw_file& operator=(const raw_file&) = delete;
  ~raw_file() { ::close(m_descriptor); }

  [[nodiscard]] int get() const noexcept { return m_descriptor; }

  [[nodiscard]] std::size_t size() const {
    struct stat status{};
    check(::fstat(m_descriptor, &status), "fstat");
    return static_cast<std::size_t>(status.st_size);
  }

  static void check(long result, const char* call) {
    if (result < 0) throw std::system_error(errno, std::generic_category(), call);
  }

 private:
  int m_descriptor;
};

/// Removes the file when its scope ends, however it ends.
class removed_at_end {
 public:
  explicit removed_at_end(std::string path) : m_path(std::move(path)) { ::unlink(m_path.c_str()); }
  removed_at_end(const removed_at_end&) = delete;
  removed_at_end& operator=(const removed_at_end&) = delete;
  ~removed_at_end() { ::unlink(m_path.c_str()); }

  [[nodiscard]] const std::string& path() const noexcept { return m_path; }

 private:
  std::string m_path;
};

}  // namespace bench

#endif
