#ifndef CKPT_IO_FILE_PLACE_HPP
#define CKPT_IO_FILE_PLACE_HPP

#include <optional>
#include <string>

#include <sys/stat.h>

#include <ckpt/core/error.hpp>
#include <ckpt/io/system_call.hpp>
#include <ckpt/io/target_path.hpp>

namespace ckpt {

/// Where a file is or will be: the same for every path that leads there.
struct file_place {
  dev_t device;
  ino_t directory;
  std::string name;

  bool operator==(const file_place&) const = default;
};

/// Nothing where the path leads nowhere; whoever opens it finds out why.
[[nodiscard]] inline std::optional<file_place> place_of(const std::string& path) {
  try {
    target_path target = resolve_target(path);
    struct stat status{};
    if (uninterrupted([&] { return ::stat(target.directory.c_str(), &status); }) != 0) return {};
    return file_place{status.st_dev, status.st_ino, std::move(target.name)};
  } catch (const error&) {
    return {};
  }
}

}  // namespace ckpt

#endif
