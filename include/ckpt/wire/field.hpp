#ifndef CKPT_WIRE_FIELD_HPP
#define CKPT_WIRE_FIELD_HPP

#include <cstddef>
#include <cstdint>

#include <ckpt/wire/varint.hpp>

namespace ckpt::wire {

// The protobuf wire format: https://protobuf.dev/programming-guides/encoding/

/// How the bytes after a key are delimited.
enum class wire_type : std::uint8_t {
  varint = 0,
  fixed64 = 1,
  length_delimited = 2,
  start_group = 3,
  end_group = 4,
  fixed32 = 5
};

/// 1 to 2^29 - 1.
using field_number = std::uint32_t;

inline constexpr field_number max_field_number = (field_number{1} << 29) - 1;

/// Groups nested deeper than this are refused, as protobuf's own readers do.
inline constexpr std::size_t max_group_depth = 100;

/// What stands before every field: its number and wire type in one varint.
[[nodiscard]] constexpr std::uint64_t key(field_number number, wire_type type) noexcept {
  return (std::uint64_t{number} << 3) | static_cast<std::uint64_t>(type);
}

/// The bytes of a length-delimited field with a payload of `payload` bytes: key, length, payload.
[[nodiscard]] constexpr std::uint64_t delimited_size(field_number number, std::uint64_t payload) noexcept {
  return varint_size(key(number, wire_type::length_delimited)) + varint_size(payload) + payload;
}

}  // namespace ckpt::wire

#endif
