#ifndef CKPT_FORMAT_MINDSPORE_SCHEMA_HPP
#define CKPT_FORMAT_MINDSPORE_SCHEMA_HPP

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <ckpt/core/byte_span.hpp>
#include <ckpt/wire/field.hpp>

namespace ckpt::mindspore_schema {

// The messages of MindSpore's checkpoint.proto (proto2):
//
// clang-format off
//   message Checkpoint {
//     message Value {
//       required string tag = 1;
//       oneof value { TensorProto tensor = 2; MapTensorProto maptensor = 3; }
//     }
//     repeated Value value = 1;
//   }
//   message TensorProto { repeated int64 dims = 1; required string tensor_type = 2; required bytes tensor_content = 3; }
//   message MapTensorProto { repeated TensorProto tensor = 1; }
// clang-format on
//
// A file is any number of Checkpoint messages one after the other, of one Value each.

inline constexpr wire::field_number checkpoint_value = 1;
inline constexpr wire::field_number value_tag = 1;
inline constexpr wire::field_number value_tensor = 2;
inline constexpr wire::field_number value_map = 3;
inline constexpr wire::field_number tensor_dims = 1;
inline constexpr wire::field_number tensor_type = 2;
inline constexpr wire::field_number tensor_content = 3;
inline constexpr wire::field_number map_tensor = 1;

/// A field that no message has: readers pass over it. Its payload aligns what follows, or hides an ending that would be
/// taken for a checksum.
inline constexpr wire::field_number padding = 1000;

/// tensor_type of a string.
inline constexpr std::string_view string_type = "str";

/// MindSpore's SLICE_SIZE: a larger tensor is cut into values of this many bytes (mindspore/train/serialization.py).
inline constexpr std::uint64_t chunk_size = std::uint64_t{512} << 20;

/// The longest tag that MindSpore's loader takes, in characters.
inline constexpr std::size_t max_name_characters = 1024;

/// A checksum follows the last message as these 7 bytes and 10 more, the big-endian CRC-32.
inline constexpr std::string_view checksum_marker = "crc_num";
inline constexpr std::size_t checksum_trailer_size = 17;

/// Writes those 17 bytes.
constexpr void render_checksum(std::uint32_t value, byte_span to) noexcept {
  for (std::size_t i = 0; i < checksum_trailer_size; ++i)
    to[i] = i < checksum_marker.size() ? static_cast<std::byte>(checksum_marker[i])
            : i + 4 < checksum_trailer_size
                ? std::byte{0}
                : static_cast<std::byte>(value >> (8 * (checksum_trailer_size - 1 - i)) & 0xff);
}

}  // namespace ckpt::mindspore_schema

#endif
