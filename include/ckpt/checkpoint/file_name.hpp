#ifndef CKPT_CHECKPOINT_FILE_NAME_HPP
#define CKPT_CHECKPOINT_FILE_NAME_HPP

#include <string>
#include <string_view>
#include <system_error>

#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/format/mindspore.hpp>
#include <ckpt/format/safetensors.hpp>
#include <ckpt/io/is_directory.hpp>

namespace ckpt {

/// The name that a file gets, as MindSpore gives it: `path` as it is where it ends with `suffix`, else with a dot and
/// `suffix` after it. `a.bin` becomes `a.bin.ckpt`, and `actckpt` stays. Throws usage_error where `path` is empty, ends
/// in a slash, or in a dot and the suffix of another format of ours; io_error where it is a directory.
[[nodiscard]] inline std::string with_suffix(std::string path, std::string_view suffix) {
  if (path.empty()) throw usage_error(errc::invalid_argument, {}, "the path to write to is empty");
  if (path.back() == '/')
    throw usage_error(errc::invalid_argument, {.path = path}, "names a directory: add the name of a file");
  if (is_directory(path))
    throw io_error(std::make_error_code(std::errc::is_a_directory), {.path = path}, "cannot write there");
  if (path.ends_with(suffix)) return path;
  for (const std::string_view other : {mindspore::suffix, safetensors::suffix})
    if (path.ends_with(concat({".", other})))
      throw usage_error(errc::invalid_argument, {.path = path},
                        concat({"names a ", other, " file, and would become one of ", suffix,
                                ": choose that format, or leave the suffix out"}));
  (path += '.') += suffix;
  return path;
}

}  // namespace ckpt

#endif
