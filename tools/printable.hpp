#ifndef CKPT_TOOLS_PRINTABLE_HPP
#define CKPT_TOOLS_PRINTABLE_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <ckpt/json/utf8.hpp>

namespace ckpt::tools {

namespace detail {

using code_point_range = std::pair<char32_t, char32_t>;

/// Characters that move the cursor, reorder the line or cannot be seen.
inline constexpr std::array<code_point_range, 7> unprintable{{{0x00, 0x1f},
                                                              {0x7f, 0x9f},
                                                              {0x200b, 0x200f},
                                                              {0x2028, 0x202e},
                                                              {0x2060, 0x206f},
                                                              {0xfeff, 0xfeff},
                                                              {0xfff9, 0xfffb}}};
inline constexpr std::array<code_point_range, 6> without_width{
    {{0x300, 0x36f}, {0x483, 0x489}, {0x1ab0, 0x1aff}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}}};
inline constexpr std::array<code_point_range, 11> double_width{{{0x1100, 0x115f},
                                                                {0x2e80, 0x303e},
                                                                {0x3041, 0xa4cf},
                                                                {0xac00, 0xd7a3},
                                                                {0xf900, 0xfaff},
                                                                {0xfe30, 0xfe6f},
                                                                {0xff00, 0xff60},
                                                                {0xffe0, 0xffe6},
                                                                {0x1f300, 0x1f64f},
                                                                {0x1f900, 0x1f9ff},
                                                                {0x20000, 0x3fffd}}};

template <std::size_t Count>
[[nodiscard]] constexpr bool is_in(char32_t character, const std::array<code_point_range, Count>& ranges) noexcept {
  for (const auto& [first, last] : ranges)
    if (character >= first && character <= last) return true;
  return false;
}

inline void append_hex(std::string& out, std::string_view prefix, char32_t value, int digits) {
  out += prefix;
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
    out += "0123456789abcdef"[(static_cast<unsigned>(value) >> shift) & 0xfU];
}

/// The columns that a printable character takes on a terminal.
[[nodiscard]] constexpr std::size_t width_of(char32_t character) noexcept {
  if (character < 0x300) return 1;
  return is_in(character, without_width) ? 0 : is_in(character, double_width) ? 2 : 1;
}

}  // namespace detail

/// `text` with what would disturb a terminal written as an escape: `\n`, `\t`, `\u001b`, and `\xff` for a byte that is
/// not UTF-8.
[[nodiscard]] inline std::string without_controls(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const utf8_character next = decode_utf8(text);
    if (next.size == 0) detail::append_hex(out, "\\x", static_cast<unsigned char>(text.front()), 2);
    else if (next.code_point == U'\n') out += "\\n";
    else if (next.code_point == U'\t') out += "\\t";
    else if (detail::is_in(next.code_point, detail::unprintable)) detail::append_hex(out, "\\u", next.code_point, 4);
    else out += text.substr(0, next.size);
    text.remove_prefix(next.size == 0 ? 1 : next.size);
  }
  return out;
}

/// `text` in quotes, with escapes for quotes, backslashes and what would disturb a terminal.
[[nodiscard]] inline std::string in_quotes(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '"' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return '"' + without_controls(escaped) + '"';
}

/// A name as one word of a line: as it is, or quoted where it is empty or holds blanks, quotes, backslashes or
/// controls.
[[nodiscard]] inline std::string printable(std::string_view name) {
  const bool is_plain =
      !name.empty() && name.find_first_of(" \"\\") == std::string_view::npos && without_controls(name) == name;
  return is_plain ? std::string(name) : in_quotes(name);
}

/// The columns that `text`, without control characters, takes on a terminal.
[[nodiscard]] inline std::size_t display_width(std::string_view text) noexcept {
  std::size_t width = 0;
  while (!text.empty()) {
    const utf8_character next = decode_utf8(text);
    width += detail::width_of(next.code_point);
    text.remove_prefix(next.size == 0 ? 1 : next.size);
  }
  return width;
}

/// `text` itself where it fits into `columns` (at least 3), else its beginning and its end with `…` between.
[[nodiscard]] inline std::string elided(std::string_view text, std::size_t columns) {
  if (display_width(text) <= columns) return std::string(text);
  const std::size_t room = columns - 1;
  std::size_t head = 0;
  for (std::size_t used = 0; head < text.size();) {
    const utf8_character next = decode_utf8(text.substr(head));
    used += detail::width_of(next.code_point);
    if (used > (room + 1) / 2) break;
    head += next.size == 0 ? 1 : next.size;
  }
  std::size_t tail = text.size();
  const std::size_t left = room - display_width(text.substr(0, head));
  while (tail > head) {
    std::size_t before = tail - 1;
    while (before > head && (static_cast<unsigned char>(text[before]) & 0xc0U) == 0x80U) --before;
    if (display_width(text.substr(before)) > left) break;
    tail = before;
  }
  return std::string(text.substr(0, head)).append("…").append(text.substr(tail));
}

}  // namespace ckpt::tools

#endif
