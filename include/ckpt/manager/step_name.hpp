#ifndef CKPT_MANAGER_STEP_NAME_HPP
#define CKPT_MANAGER_STEP_NAME_HPP

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <ckpt/core/concat.hpp>
#include <ckpt/manager/training_step.hpp>

namespace ckpt {

/// `prefix-epoch_step.suffix`: the name that MindSpore's ModelCheckpoint gives to a file.
[[nodiscard]] inline std::string step_name(std::string_view prefix, const training_step& at, std::string_view suffix) {
  return concat({prefix, "-", std::to_string(at.epoch), "_", std::to_string(at.step), ".", suffix});
}

/// The step of which `name` is the step_name with this prefix and suffix; nothing where it is that of none. So
/// `lenet_1-2_300.ckpt`, which MindSpore writes in the second run with a prefix, is one of `lenet_1`, not of `lenet`.
[[nodiscard]] inline std::optional<training_step> parse_step_name(std::string_view name, std::string_view prefix,
                                                                  std::string_view suffix) {
  if (!name.starts_with(prefix)) return std::nullopt;
  training_step found;
  const char* at = name.data() + prefix.size();
  const char* const end = name.data() + name.size();
  for (std::uint64_t* const number : {&found.epoch, &found.step}) {
    if (at == end) return std::nullopt;
    const auto [behind, error] = std::from_chars(at + 1, end, *number);
    if (error != std::errc()) return std::nullopt;
    at = behind;
  }
  if (step_name(prefix, found, suffix) != name) return std::nullopt;  // leading zeros, other separators, an other end
  return found;
}

}  // namespace ckpt

#endif
