#ifndef CKPT_TOOLS_HUMAN_SIZE_HPP
#define CKPT_TOOLS_HUMAN_SIZE_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

namespace ckpt::tools {

/// `640 B`, `1.5 KiB`, `2.0 GiB`.
[[nodiscard]] inline std::string human_size(std::uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  constexpr std::array units{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; value >= 1023.95; ++unit) value /= 1024;  // what would read 1024.0
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %s", value, units[unit]);
  return text;
}

/// `1,234,567`.
[[nodiscard]] inline std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, 1, ',');
  return text;
}

/// `1 tensor`, `2 tensors`.
[[nodiscard]] inline std::string counted(std::uint64_t count, const std::string& one, const std::string& many) {
  return grouped(count) + ' ' + (count == 1 ? one : many);
}

}  // namespace ckpt::tools

#endif
