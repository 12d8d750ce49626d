#ifndef CKPT_JSON_SCAN_HPP
#define CKPT_JSON_SCAN_HPP

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace ckpt {

/// What may not stand as it is between the quotes of a JSON string: the quote, the backslash and control characters.
[[nodiscard]] constexpr bool is_json_special(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

/// The characters that have an escape of two characters, and the second character of each. (JSON also has `\/`.)
inline constexpr std::string_view json_short_escapes = "\"\\\b\f\n\r\t";
inline constexpr std::string_view json_escape_letters = "\"\\bfnrt";

/// The place of the first special character at or after `at`, text.size() where there is none.
[[nodiscard]] constexpr std::size_t find_json_special(std::string_view text, std::size_t at = 0) noexcept {
  if (!std::is_constant_evaluated()) {
    constexpr std::uint64_t ones = 0x0101010101010101u;
    for (std::uint64_t word = 0; text.size() - at >= sizeof word; at += sizeof word) {
      std::memcpy(&word, text.data() + at, sizeof word);
      const std::uint64_t quote = word ^ (ones * '"');
      const std::uint64_t backslash = word ^ (ones * '\\');
      // The high bit of each special byte. A borrow can set it wrongly only above one that is: the lowest is right.
      const std::uint64_t found =
          (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) | ((word - ones * 0x20) & ~word)) &
          (ones * 0x80);
      if (found != 0) return at + static_cast<std::size_t>(std::countr_zero(found)) / 8;
    }
  }
  while (at < text.size() && !is_json_special(text[at])) ++at;
  return at;
}

namespace detail {

/// What stands at `at`, for an error: `'x'`, `byte 0x0a` or `the end of the text`.
inline std::string found_at(const char* at, const char* end) {
  constexpr std::string_view nothing = "the end of the text";
  if (at == end) return std::string(nothing);
  constexpr std::string_view digits = "0123456789abcdef";
  const auto value = static_cast<unsigned char>(*at);
  if (value > ' ' && value < 0x7f) return {'\'', *at, '\''};
  return {'b', 'y', 't', 'e', ' ', '0', 'x', digits[value >> 4], digits[value & 0xf]};
}

}  // namespace detail

}  // namespace ckpt

#endif
