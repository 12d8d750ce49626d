#ifndef CKPT_TESTS_UNIT_FORMAT_CKPT_FILE_HPP
#define CKPT_TESTS_UNIT_FORMAT_CKPT_FILE_HPP

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "../support.hpp"

// A ckpt file put together by hand, message by message. Knows nothing of the library.

namespace ckpt_file {

inline std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7U) out += static_cast<char>((value & 0x7fU) | 0x80U);
  return out += static_cast<char>(value);
}

/// The same number in `size` bytes, more than it needs.
inline std::string long_varint(std::uint64_t value, std::size_t size) {
  std::string out = varint(value);
  while (out.size() < size) {
    out.back() = static_cast<char>(out.back() | '\x80');
    out += '\0';
  }
  return out;
}

/// A field of wire type 0.
inline std::string number(std::uint64_t field, std::uint64_t value) { return varint(field << 3U) + varint(value); }

/// A field of wire type 2.
inline std::string bytes(std::uint64_t field, std::string_view payload) {
  return varint(field << 3U | 2U) + varint(payload.size()) + std::string(payload);
}

/// Unknown fields of every wire type.
inline std::string unknown() {
  using namespace std::string_literals;
  return number(7, 300) + varint(7U << 3U | 1U) + "12345678"s + bytes(7, "payload") + varint(7U << 3U | 3U) +
         number(1, 1) + varint(7U << 3U | 4U) + varint(7U << 3U | 5U) + "1234"s + bytes(536870911, "");
}

inline std::string dims(std::initializer_list<std::int64_t> extents) {
  std::string out;
  for (const std::int64_t extent : extents) out += number(1, static_cast<std::uint64_t>(extent));
  return out;
}

inline std::string tensor(std::initializer_list<std::int64_t> extents, std::string_view type,
                          std::string_view content) {
  return dims(extents) + bytes(2, type) + bytes(3, content);
}

/// A message with one value, a tensor.
inline std::string value(std::string_view tag, std::string_view tensor) {
  return bytes(1, bytes(1, tag) + bytes(2, tensor));
}

/// A message with one value: an int8 tensor of one axis.
inline std::string int8(std::string_view tag, std::string_view content) {
  return value(tag, tensor({static_cast<std::int64_t>(content.size())}, "Int8", content));
}

inline std::string utf32(std::u32string_view text) {
  std::string out;
  for (const char32_t c : text)
    for (unsigned shift = 0; shift < 32; shift += 8) out += static_cast<char>(static_cast<std::uint32_t>(c) >> shift);
  return out;
}

/// A message with one value, a string.
inline std::string text(std::string_view tag, std::u32string_view content) {
  return value(tag, tensor({0}, "str", utf32(content)));
}

/// The content of a map: as many tensors as there are words, each of int8.
inline std::string map_of(std::initializer_list<std::string_view> contents) {
  std::string out;
  for (const std::string_view content : contents)
    out += bytes(1, tensor({static_cast<std::int64_t>(content.size())}, "int8", content));
  return out;
}

/// A message with one value, a map (or one slice of it).
inline std::string map(std::string_view tag, std::string_view content) {
  return bytes(1, bytes(1, tag) + bytes(3, content));
}

}  // namespace ckpt_file

#endif
