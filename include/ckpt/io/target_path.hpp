#ifndef CKPT_IO_TARGET_PATH_HPP
#define CKPT_IO_TARGET_PATH_HPP

#include <cerrno>
#include <cstddef>
#include <string>
#include <utility>

#include <unistd.h>

#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/io/file_descriptor.hpp>
#include <ckpt/io/system_call.hpp>

namespace ckpt {

/// Where a file to be replaced really lies.
struct target_path {
  std::string directory;  ///< as it is to be opened, never empty
  std::string name;       ///< the last part, never empty

  [[nodiscard]] std::string whole() const {
    if (directory == ".") return name;
    return concat({directory, directory.back() == '/' ? "" : "/", name});
  }
};

/// Cuts a path into directory and name. The name is empty where the path ends in a slash.
[[nodiscard]] inline target_path split_path(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

/// Follows the symbolic links that `path` ends in, as far as they lead; the file at their end need not exist. Throws
/// usage_error for a path that names no file, io_error for links in a circle and for whatever else keeps the operating
/// system from following.
[[nodiscard]] inline target_path resolve_target(const std::string& path) {
  file_descriptor::refuse_nul(path);
  if (path.empty()) throw usage_error(errc::invalid_argument, {}, "the path to write to is empty");
  target_path target = split_path(path);
  std::string link;
  link.resize(4096);  // Linux allows no longer one
  for (int links = 0; links <= 40; ++links) {
    if (target.name.empty())
      throw usage_error(errc::invalid_argument, {.path = path}, "names a directory: add the name of a file");
    const std::string whole = target.whole();
    const ssize_t size = uninterrupted([&] { return ::readlink(whole.c_str(), link.data(), link.size()); });
    if (size < 0) {
      if (errno == EINVAL || errno == ENOENT) return target;  // no link; nothing there
      throw_io_error(last_error(), path, "cannot write there");
    }
    target_path next = split_path(link.substr(0, static_cast<std::size_t>(size)));
    if (next.directory.front() != '/') {
      next.directory = next.directory == "." ? target.directory : target_path{target.directory, next.directory}.whole();
    }
    target = std::move(next);
  }
  throw_io_error(std::make_error_code(std::errc::too_many_symbolic_link_levels), path, "cannot write there");
}

}  // namespace ckpt

#endif
