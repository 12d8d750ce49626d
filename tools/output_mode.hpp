#ifndef CKPT_TOOLS_OUTPUT_MODE_HPP
#define CKPT_TOOLS_OUTPUT_MODE_HPP

#include <string>
#include <string_view>

#include <sys/stat.h>

#include "exit_code.hpp"

namespace ckpt::tools {

/// The permissions of a file that a command writes: those of the file it replaces, else what the umask leaves of 0666.
/// Throws command_line_error, which ends in `advice`, for what cannot be replaced as a whole: /dev/stdout is a link to
/// a pipe of which there is no directory.
[[nodiscard]] inline unsigned output_mode(const std::string& path, std::string_view advice = "choose another path") {
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0) {
    if (S_ISREG(status.st_mode)) return status.st_mode & 0777U;
    if (!S_ISDIR(status.st_mode))
      throw command_line_error(path + ": is a pipe, socket or device, not a file: " + std::string(advice));
  }
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return 0666U & ~mask;
}

}  // namespace ckpt::tools

#endif
