#ifndef CKPT_WIRE_VARINT_HPP
#define CKPT_WIRE_VARINT_HPP

#include <bit>
#include <cstddef>
#include <cstdint>

#include <ckpt/core/sequence.hpp>

namespace ckpt::wire {

/// The longest varint: 64 bits, seven to a byte.
inline constexpr std::size_t max_varint_size = 10;

/// The bytes that `value` takes as a minimal varint, 1 to 10.
[[nodiscard]] constexpr std::size_t varint_size(std::uint64_t value) noexcept {
  return static_cast<std::size_t>(std::bit_width(value | 1) + 6) / 7;
}

/// Writes the minimal varint of `value` and returns the place after it; `to` has room for varint_size(value) bytes.
constexpr std::byte* write_varint(std::byte* to, std::uint64_t value) noexcept {
  for (; value >= 0x80; value >>= 7) *to++ = static_cast<std::byte>((value & 0x7f) | 0x80);
  *to++ = static_cast<std::byte>(value);
  return to;
}

/// A varint that was read, and the bytes it took: 0 where there is none (cut short, over ten bytes, or past 64 bits).
struct varint {
  std::uint64_t value = 0;
  std::size_t size = 0;
};

/// Reads a varint from the start of `bytes`. Takes longer encodings than needed, as protobuf does, up to ten bytes.
[[nodiscard]] constexpr varint read_varint(sequence<std::byte> bytes) noexcept {
  std::uint64_t value = 0;
  const std::size_t limit = bytes.size() < max_varint_size ? bytes.size() : max_varint_size;
  for (std::size_t i = 0; i < limit; ++i) {
    const auto byte = static_cast<std::uint64_t>(bytes[i]);
    if (i == max_varint_size - 1 && byte > 1) return {};
    value |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) return {value, i + 1};
  }
  return {};
}

}  // namespace ckpt::wire

#endif
