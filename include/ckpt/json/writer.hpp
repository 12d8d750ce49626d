#ifndef CKPT_JSON_WRITER_HPP
#define CKPT_JSON_WRITER_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include <ckpt/json/scan.hpp>

namespace ckpt {

// Strings and numbers look exactly as Rust's serde_json writes them. The write_* functions write to memory that has
// room for what the *_size functions say, so that a text of known size is written in one go.

namespace detail {

constexpr std::size_t escaped_size(char c) noexcept {
  if (!is_json_special(c)) return 1;
  return json_short_escapes.find(c) != std::string_view::npos ? 2 : 6;
}

/// Writes the escape for a special character, 2 or 6 characters. Returns how many.
constexpr std::size_t write_escape(char special, char* to) noexcept {
  to[0] = '\\';
  if (const std::size_t place = json_short_escapes.find(special); place != std::string_view::npos) {
    to[1] = json_escape_letters[place];
    return 2;
  }
  constexpr std::string_view digits = "0123456789abcdef";
  const auto value = static_cast<unsigned char>(special);
  to[1] = 'u';
  to[2] = '0';
  to[3] = '0';
  to[4] = digits[value >> 4];
  to[5] = digits[value & 0xf];
  return 6;
}

}  // namespace detail

/// Copies `text` to `to` as it is and returns the end of the copy.
constexpr char* write_json_raw(char* to, std::string_view text) noexcept {
  if (std::is_constant_evaluated())
    for (std::size_t i = 0; i < text.size(); ++i) to[i] = text[i];
  else if (!text.empty()) std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

/// How many characters write_json_string writes for `text`.
[[nodiscard]] constexpr std::size_t json_string_size(std::string_view text) noexcept {
  std::size_t size = text.size() + 2;
  for (std::size_t at = find_json_special(text); at < text.size(); at = find_json_special(text, at + 1))
    size += detail::escaped_size(text[at]) - 1;
  return size;
}

/// Writes `text` between quotes, with the escapes JSON asks for, and returns the end of what it wrote. Anything that is
/// not a control character, a quote or a backslash is copied as it is; the caller has checked that it is UTF-8.
constexpr char* write_json_string(char* to, std::string_view text) noexcept {
  *to++ = '"';
  std::size_t done = 0;
  while (true) {
    const std::size_t at = find_json_special(text, done);
    to = write_json_raw(to, text.substr(done, at - done));
    if (at == text.size()) break;
    to += detail::write_escape(text[at], to);
    done = at + 1;
  }
  *to++ = '"';
  return to;
}

/// How many characters write_json_number writes for `value`: 1 to 20.
[[nodiscard]] constexpr std::size_t json_number_size(std::uint64_t value) noexcept {
  std::size_t size = 1;
  for (; value > 9; value /= 10) ++size;
  return size;
}

/// Writes `value` in decimal and returns the end of what it wrote.
constexpr char* write_json_number(char* to, std::uint64_t value) noexcept {
  char* const end = to + json_number_size(value);
  char* at = end;
  do {
    *--at = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  return end;
}

/// The same at the end of a string.
inline void append_json_string(std::string& out, std::string_view text) {
  const std::size_t before = out.size();
  out.resize(before + json_string_size(text));
  write_json_string(out.data() + before, text);
}
inline void append_json_number(std::string& out, std::uint64_t value) {
  char digits[20];
  out.append(digits, static_cast<std::size_t>(write_json_number(digits, value) - digits));
}

}  // namespace ckpt

#endif
