#ifndef CKPT_IO_MAKE_DIRECTORIES_HPP
#define CKPT_IO_MAKE_DIRECTORIES_HPP

#include <cerrno>
#include <cstddef>
#include <string>
#include <system_error>

#include <sys/stat.h>

#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/io/directory.hpp>
#include <ckpt/io/file_descriptor.hpp>
#include <ckpt/io/is_directory.hpp>
#include <ckpt/io/system_call.hpp>
#include <ckpt/io/target_path.hpp>

namespace ckpt {

/// Makes the directory `path` and those above it that are missing, and returns when their names are on the disk. Throws
/// io_error, usage_error where the path is empty.
inline void make_directories(const std::string& path) {
  file_descriptor::refuse_nul(path);
  if (path.empty()) throw usage_error(errc::invalid_argument, {}, "the path of the directory is empty");
  for (std::size_t end = 0; end < path.size();) {
    end = path.find_first_not_of('/', end);
    if (end == std::string::npos) break;
    end = path.find('/', end);
    if (end == std::string::npos) end = path.size();
    const std::string part = path.substr(0, end);
    if (is_directory(part)) continue;
    if (uninterrupted([&] { return ::mkdir(part.c_str(), 0777); }) == 0)
      directory(split_path(part).directory, directory::use::with_sync, path).sync("a power cut may undo what was made");
    else if (const std::error_code cause = last_error(); !is_directory(part))  // nobody else has made it meanwhile
      throw_io_error(cause, path, concat({"cannot make the directory \"", part, "\""}));
  }
}

}  // namespace ckpt

#endif
