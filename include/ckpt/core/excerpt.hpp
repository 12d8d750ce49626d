#ifndef CKPT_CORE_EXCERPT_HPP
#define CKPT_CORE_EXCERPT_HPP

#include <cstddef>
#include <string_view>

namespace ckpt {

/// The beginning of a text, of at most so many bytes, that does not end within a character of UTF-8. For what a file
/// says and a message repeats.
[[nodiscard]] constexpr std::string_view excerpt(std::string_view text, std::size_t most = 64) noexcept {
  std::size_t shown = text.size() < most ? text.size() : most;
  while (shown < text.size() && shown > 0 && (static_cast<unsigned char>(text[shown]) & 0xc0) == 0x80) --shown;
  return text.substr(0, shown);
}

}  // namespace ckpt

#endif
