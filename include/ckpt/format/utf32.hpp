#ifndef CKPT_FORMAT_UTF32_HPP
#define CKPT_FORMAT_UTF32_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <ckpt/core/byte_order.hpp>
#include <ckpt/json/utf8.hpp>

namespace ckpt {

// A string in a ckpt file is a numpy array of dtype U: its code points in UTF-32LE, zeros at the end not counted.

inline constexpr std::size_t utf32_width = 4;

/// The bytes of `text` (UTF-8) in UTF-32LE; the empty text is one zero code point.
[[nodiscard]] constexpr std::uint64_t utf32_size(std::string_view text) noexcept {
  return text.empty() ? utf32_width : std::uint64_t{utf32_width} * count_code_points(text);
}

/// Writes `text` (UTF-8) to `to`, which has room for utf32_size(text) bytes.
constexpr void write_utf32(std::string_view text, std::byte* to) noexcept {
  if (text.empty()) store_le(to, std::uint32_t{0});
  while (!text.empty()) {
    const utf8_character next = decode_utf8(text);
    store_le(to, static_cast<std::uint32_t>(next.code_point));
    to += utf32_width;
    text.remove_prefix(next.size);
  }
}

/// Appends the UTF-8 of one code point that is at most 10FFFF; a surrogate as the three bytes it would take.
inline void append_utf8(std::string& to, std::uint32_t code_point) {
  char bytes[4] = {};
  std::size_t size = encode_utf8(static_cast<char32_t>(code_point), bytes);
  if (size == 0) {
    bytes[0] = '\xed';
    bytes[1] = static_cast<char>(0x80 | ((code_point >> 6) & 0x3f));
    bytes[2] = static_cast<char>(0x80 | (code_point & 0x3f));
    size = 3;
  }
  to.append(bytes, size);
}

}  // namespace ckpt

#endif
