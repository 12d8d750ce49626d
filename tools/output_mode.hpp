#ifndef CKPT_TOOLS_OUTPUT_MODE_HPP
#define CKPT_TOOLS_OUTPUT_MODE_HPP

#include <string>

#include <sys/stat.h>

namespace ckpt::tools {

/// The permissions of a file that a command writes: those of the file it replaces, else what the umask leaves of 0666.
[[nodiscard]] inline unsigned output_mode(const std::string& path) noexcept {
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode)) return status.st_mode & 0777U;
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return 0666U & ~mask;
}

}  // namespace ckpt::tools

#endif
