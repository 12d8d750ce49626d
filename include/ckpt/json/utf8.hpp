#ifndef CKPT_JSON_UTF8_HPP
#define CKPT_JSON_UTF8_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <type_traits>

namespace ckpt {

/// The first character of a text. `size` is the number of its bytes, 0 where they are not UTF-8 (or the text is empty).
struct utf8_character {
  char32_t code_point = 0;
  std::size_t size = 0;
};

/// Decodes the first character as the Unicode Standard's table 3-7 allows it: the shortest form only, no surrogates,
/// nothing past U+10FFFF.
[[nodiscard]] constexpr utf8_character decode_utf8(std::string_view text) noexcept {
  if (text.empty()) return {};
  const auto byte = [text](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
  const std::uint32_t first = byte(0);
  if (first < 0x80) return {static_cast<char32_t>(first), 1};
  if (first < 0xc2) return {};
  if (first < 0xe0) {
    if (text.size() < 2 || !continues(1)) return {};
    return {static_cast<char32_t>((first & 0x1f) << 6 | (byte(1) & 0x3f)), 2};
  }
  if (first < 0xf0) {
    if (text.size() < 3 || !continues(1) || !continues(2)) return {};
    const std::uint32_t value = (first & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f);
    if (value < 0x800 || (value >= 0xd800 && value < 0xe000)) return {};
    return {static_cast<char32_t>(value), 3};
  }
  if (first > 0xf4 || text.size() < 4 || !continues(1) || !continues(2) || !continues(3)) return {};
  const std::uint32_t value = (first & 0x07) << 18 | (byte(1) & 0x3f) << 12 | (byte(2) & 0x3f) << 6 | (byte(3) & 0x3f);
  if (value < 0x10000 || value > 0x10ffff) return {};
  return {static_cast<char32_t>(value), 4};
}

/// Where the first byte lies that is not part of a well-formed character, or nothing where the whole text is UTF-8.
[[nodiscard]] constexpr std::optional<std::size_t> first_invalid_utf8(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size()) {
    if (!std::is_constant_evaluated()) {  // eight ASCII bytes at a time
      std::uint64_t word = 0;
      while (text.size() - at >= sizeof word) {
        std::memcpy(&word, text.data() + at, sizeof word);
        if ((word & 0x8080808080808080u) != 0) break;
        at += sizeof word;
      }
      if (at == text.size()) break;
    }
    const std::size_t size = decode_utf8(text.substr(at)).size;
    if (size == 0) return at;
    at += size;
  }
  return std::nullopt;
}

[[nodiscard]] constexpr bool is_utf8(std::string_view text) noexcept { return !first_invalid_utf8(text); }

/// The number of characters of a text that is UTF-8.
[[nodiscard]] constexpr std::size_t count_code_points(std::string_view text) noexcept {
  std::size_t count = 0;
  for (const char byte : text) count += (static_cast<unsigned char>(byte) & 0xc0) != 0x80 ? 1u : 0u;
  return count;
}

/// Writes `code_point` to `to`, which has room for 4 bytes, and returns how many it took: 0, and nothing written, for
/// a surrogate or a value past U+10FFFF.
constexpr std::size_t encode_utf8(char32_t code_point, char* to) noexcept {
  const auto value = static_cast<std::uint32_t>(code_point);
  const auto tail = [value](unsigned shift) { return static_cast<char>(0x80 | ((value >> shift) & 0x3f)); };
  if (value < 0x80) {
    to[0] = static_cast<char>(value);
    return 1;
  }
  if (value < 0x800) {
    to[0] = static_cast<char>(0xc0 | value >> 6);
    to[1] = tail(0);
    return 2;
  }
  if (value < 0x10000) {
    if (value >= 0xd800 && value < 0xe000) return 0;
    to[0] = static_cast<char>(0xe0 | value >> 12);
    to[1] = tail(6);
    to[2] = tail(0);
    return 3;
  }
  if (value > 0x10ffff) return 0;
  to[0] = static_cast<char>(0xf0 | value >> 18);
  to[1] = tail(12);
  to[2] = tail(6);
  to[3] = tail(0);
  return 4;
}

}  // namespace ckpt

#endif
