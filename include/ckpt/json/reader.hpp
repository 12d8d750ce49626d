#ifndef CKPT_JSON_READER_HPP
#define CKPT_JSON_READER_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <ckpt/core/arena.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/json/number.hpp>
#include <ckpt/json/scan.hpp>
#include <ckpt/json/utf8.hpp>

namespace ckpt {

/// Reads one JSON text value by value, in order, and as strictly as Rust's serde_json: UTF-8 throughout, no comments,
/// no trailing commas, no lone surrogates, no raw control characters, no number past a double, nothing after the value.
///
/// Whatever is not what was asked for throws format_error with errc::malformed and the byte of the file where it lies.
/// The text must outlive the reader and every string that came out of it without an escape in it; strings with escapes
/// are decoded into the arena. Each call takes time linear in what it reads, and no call recurses.
class json_reader {
 public:
  /// Arrays and objects may lie this deep in each other.
  static constexpr unsigned depth_limit = 127;

  /// `text` lies at byte `base_offset` of the file `path`. Throws format_error where it is not UTF-8.
  json_reader(std::string_view text, arena& strings, std::string path, std::uint64_t base_offset)
      : m_begin(text.data()),
        m_end(text.data() + text.size()),
        m_base(base_offset),
        m_strings(strings),
        m_path(std::move(path)) {
    if (const std::optional<std::size_t> bad = first_invalid_utf8(text)) {
      m_at += *bad;
      fail("UTF-8");
    }
  }

  /// What errors are about from now on: an entry, or nothing. `noun` as in error_facts.
  void about(std::string_view noun, std::string_view name) noexcept {
    m_noun = noun;
    m_about = name;
  }

  /// The byte of the file where the next token begins.
  [[nodiscard]] std::uint64_t offset() noexcept {
    skip_blanks();
    return m_base + static_cast<std::uint64_t>(m_at - m_begin);
  }

  /// Enters an object. Then next_key() until it is false, and after each key exactly one value.
  void begin_object() { open('{', "'{'"); }

  /// Reads the name of the next member; false: the object has been left.
  [[nodiscard]] bool next_key() {
    if (!next_item('}', "',' or '}'")) return false;
    skip_blanks();
    m_key_at = m_at;
    m_key = read_string("a name in quotes");
    take(':', "':'");
    return true;
  }

  /// The name that next_key() read last.
  [[nodiscard]] std::string_view key() const noexcept { return m_key; }
  /// The byte of the file where it begins.
  [[nodiscard]] std::uint64_t key_offset() const noexcept {
    return m_base + static_cast<std::uint64_t>(m_key_at - m_begin);
  }

  /// Enters an array. Then one value after each next_element() that is true; false: the array has been left.
  void begin_array() { open('[', "'['"); }
  [[nodiscard]] bool next_element() { return next_item(']', "',' or ']'"); }

  [[nodiscard]] std::string_view read_string() { return read_string("a string"); }

  /// A number without sign, fraction or exponent, exact up to 2^64 - 1.
  [[nodiscard]] std::uint64_t read_u64() {
    skip_blanks();
    const char* at = m_at;
    std::uint64_t value = 0;
    bool exact = true;
    for (; at != m_end && is_digit(*at); ++at) {
      exact = exact && !__builtin_mul_overflow(value, 10u, &value) &&
              !__builtin_add_overflow(value, static_cast<unsigned>(*at - '0'), &value);
    }
    const bool zero_first = at - m_at > 1 && *m_at == '0';
    if (at == m_at || zero_first || !exact || (at != m_end && (*at == '.' || *at == 'e' || *at == 'E'))) fail_number();
    m_at = at;
    return value;
  }

  /// A number as it stands there, which a double can hold, for std::from_chars.
  [[nodiscard]] std::string_view read_number() {
    skip_blanks();
    if (m_at == m_end || (*m_at != '-' && !is_digit(*m_at))) fail("a number");
    const char* const begin = m_at;
    skip_number();
    return {begin, static_cast<std::size_t>(m_at - begin)};
  }

  /// Whether the next value is null; if so it has been read.
  [[nodiscard]] bool read_null() {
    skip_blanks();
    if (m_at == m_end || *m_at != 'n') return false;
    take_literal("null");
    return true;
  }

  /// Reads the next value, whatever it is, as strictly as if it were wanted.
  void skip_value() {
    const unsigned outside = m_depth;
    bool in_object[depth_limit + 1];
    do {
      skip_blanks();
      const char first = m_at == m_end ? '\0' : *m_at;
      if (first == '{' || first == '[') {
        open(first, {});
        in_object[m_depth] = first == '{';
      } else {
        skip_scalar(first);
      }
      while (m_depth > outside) {
        if (in_object[m_depth] ? skip_key() : next_element()) break;
      }
    } while (m_depth > outside);
  }

  /// To be called after the outermost value: refuses anything but blanks after it.
  void finish() {
    skip_blanks();
    if (m_at != m_end) fail("nothing but blanks after the value");
  }

 private:
  static constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

  void skip_blanks() noexcept {
    while (m_at != m_end && static_cast<unsigned char>(*m_at) <= ' ' &&
           (*m_at == ' ' || *m_at == '\n' || *m_at == '\r' || *m_at == '\t'))
      ++m_at;
  }

  void take(char token, std::string_view expected) {
    skip_blanks();
    if (m_at == m_end || *m_at != token) fail(expected);
    ++m_at;
  }

  void open(char token, std::string_view expected) {
    take(token, expected);
    if (m_depth == depth_limit) {
      --m_at;
      fail("arrays and objects at most 127 deep in each other");
    }
    ++m_depth;
    m_first = true;
  }

  // After `[`, `{` or a value: true before a further item, false behind the closing token.
  bool next_item(char close, std::string_view expected) {
    skip_blanks();
    const bool first = m_first;
    m_first = false;
    if (m_at != m_end && *m_at == close) {
      ++m_at;
      --m_depth;
      return false;
    }
    if (!first) take(',', expected);
    return true;
  }

  bool skip_key() {
    if (!next_item('}', "',' or '}'")) return false;
    take('"', "a name in quotes");
    scan_string(m_at);
    take(':', "':'");
    return true;
  }

  void skip_scalar(char first) {
    if (first == '"') scan_string(m_at + 1);
    else if (first == 't') take_literal("true");
    else if (first == 'f') take_literal("false");
    else if (first == 'n') take_literal("null");
    else if (first == '-' || is_digit(first)) skip_number();
    else fail("a value");
  }

  void take_literal(std::string_view literal) {
    if (std::string_view(m_at, static_cast<std::size_t>(m_end - m_at)).substr(0, literal.size()) != literal)
      fail(literal);
    m_at += literal.size();
  }

  void skip_number() {
    const json_number number = scan_json_number({m_at, static_cast<std::size_t>(m_end - m_at)});
    if (number.status == json_number_status::malformed) fail_at(m_at + number.size, "a digit");
    if (number.status == json_number_status::leading_zero) fail_at(m_at + number.size, "no digit after a leading 0");
    if (number.status == json_number_status::out_of_range) fail("a number that a double can hold");
    m_at += number.size;
  }

  std::string_view read_string(std::string_view expected) {
    take('"', expected);
    const char* const begin = m_at;
    const bool escaped = scan_string(m_at);
    const std::string_view raw(begin, static_cast<std::size_t>(m_at - 1 - begin));
    return escaped ? decode(raw) : raw;
  }

  // From `from`, behind the opening quote, to behind the closing one. Whether there was an escape.
  bool scan_string(const char* from) {
    bool escaped = false;
    m_at = from;
    while (true) {
      m_at += find_json_special({m_at, static_cast<std::size_t>(m_end - m_at)});
      if (m_at == m_end) fail("'\"' at the end of a string");
      if (*m_at == '"') break;
      if (*m_at != '\\') fail("an escape for a control character");
      escaped = true;
      m_at += read_escape(m_at).size;
    }
    ++m_at;
    return escaped;
  }

  // The escape at `from`, a backslash; the size counts all of it.
  utf8_character read_escape(const char* from) {
    const char letter = m_end - from > 1 ? from[1] : '\0';
    if (const std::size_t place = json_escape_letters.find(letter); place != std::string_view::npos)
      return {static_cast<char32_t>(json_short_escapes[place]), 2};
    if (letter == '/') return {U'/', 2};
    if (letter != 'u') fail_at(from + 1, "one of \"\\/bfnrtu after a backslash");
    const std::uint32_t first = read_hex(from + 2);
    if (first < 0xd800 || first > 0xdfff) return {static_cast<char32_t>(first), 6};
    if (first > 0xdbff || m_end - from < 8 || from[6] != '\\' || from[7] != 'u') fail_at(from, "surrogates in pairs");
    const std::uint32_t second = read_hex(from + 8);
    if (second < 0xdc00 || second > 0xdfff) fail_at(from, "surrogates in pairs");
    return {static_cast<char32_t>(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)), 12};
  }

  std::uint32_t read_hex(const char* from) {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i, ++from) {
      const char c = from != m_end ? *from : '\0';
      int digit = -1;
      if (is_digit(c)) digit = c - '0';
      if (c >= 'a' && c <= 'f') digit = c - 'a' + 10;
      if (c >= 'A' && c <= 'F') digit = c - 'A' + 10;
      if (digit < 0) fail_at(from, "four hexadecimal digits after \\u");
      value = value << 4 | static_cast<std::uint32_t>(digit);
    }
    return value;
  }

  // Of a string that scan_string has been over; no escape is shorter than what it stands for. The 3 bytes more are for
  // a mapped file that somebody changes in between: an escape that begins within the string then ends beyond it.
  std::string_view decode(std::string_view raw) {
    char* to = reinterpret_cast<char*>(m_strings.allocate(raw.size() + 3));
    const char* const begin = to;
    for (std::size_t at = 0; at < raw.size();) {
      if (raw[at] != '\\') {
        *to++ = raw[at++];
        continue;
      }
      const utf8_character character = read_escape(raw.data() + at);
      to += encode_utf8(character.code_point, to);
      at += character.size;
    }
    return {begin, static_cast<std::size_t>(to - begin)};
  }

  [[noreturn]] void fail_number() {
    const char* end = m_at;
    while (end != m_end && (is_digit(*end) || std::string_view("+-.eE").find(*end) != std::string_view::npos)) ++end;
    if (end == m_at) fail("an unsigned integer");
    fail_at(m_at, "an unsigned integer up to 18446744073709551615",
            std::string(m_at, static_cast<std::size_t>(end - m_at < 40 ? end - m_at : 40)));
  }

  [[noreturn]] void fail(std::string_view expected) { fail_at(m_at, expected); }
  [[noreturn]] void fail_at(const char* at, std::string_view expected, std::string found = {}) {
    if (found.empty()) found = detail::found_at(at, m_end);
    const std::string text = concat({"JSON: expected ", expected, ", found ", found});
    throw format_error(errc::malformed,
                       {.path = m_path,
                        .name = std::string(m_about),
                        .noun = m_noun,
                        .offset = m_base + static_cast<std::uint64_t>(at - m_begin),
                        .expected = std::string(expected),
                        .found = std::move(found)},
                       text);
  }

  const char* m_begin;
  const char* m_end;
  const char* m_at = m_begin;
  const char* m_key_at = m_begin;
  std::string_view m_key;
  std::uint64_t m_base;
  arena& m_strings;
  std::string m_path;
  std::string_view m_noun;
  std::string_view m_about;
  unsigned m_depth = 0;
  bool m_first = false;
};

}  // namespace ckpt

#endif
