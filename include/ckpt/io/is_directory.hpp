#ifndef CKPT_IO_IS_DIRECTORY_HPP
#define CKPT_IO_IS_DIRECTORY_HPP

#include <string>

#include <sys/stat.h>

namespace ckpt {

/// Whether there is a directory of that name, or a link to one. False also where it cannot be told.
[[nodiscard]] inline bool is_directory(const std::string& path) noexcept {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

}  // namespace ckpt

#endif
