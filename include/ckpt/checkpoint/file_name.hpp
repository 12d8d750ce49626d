#ifndef CKPT_CHECKPOINT_FILE_NAME_HPP
#define CKPT_CHECKPOINT_FILE_NAME_HPP

#include <string>
#include <string_view>

namespace ckpt {

/// The name that a file gets, as MindSpore gives it: `path` as it is where it ends with `suffix`, else with a dot and
/// `suffix` after it. `a.bin` becomes `a.bin.ckpt`, and `actckpt` stays.
[[nodiscard]] inline std::string with_suffix(std::string path, std::string_view suffix) {
  if (!path.ends_with(suffix)) path.append(".").append(suffix);
  return path;
}

}  // namespace ckpt

#endif
