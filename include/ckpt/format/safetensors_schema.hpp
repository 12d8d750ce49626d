#ifndef CKPT_FORMAT_SAFETENSORS_SCHEMA_HPP
#define CKPT_FORMAT_SAFETENSORS_SCHEMA_HPP

#include <cstddef>
#include <cstdint>
#include <string_view>

/// The words and limits of a safetensors file: a little-endian length, a JSON header of that length, the data.
namespace ckpt::safetensors_schema {

inline constexpr std::size_t length_size = 8;
inline constexpr std::uint64_t max_header_size = 100'000'000;  // what the safetensors crate reads at most
inline constexpr std::uint64_t header_alignment = 8;  // the header is padded so that the data begins at a multiple

inline constexpr std::string_view metadata_name = "__metadata__";
inline constexpr std::string_view dtype_field = "dtype";
inline constexpr std::string_view shape_field = "shape";
inline constexpr std::string_view offsets_field = "data_offsets";

// What MindSpore puts into the metadata.
inline constexpr std::string_view format_key = "format";
inline constexpr std::string_view format_value = "ms";
inline constexpr std::string_view redundancy_key = "remove_redundancy";
inline constexpr std::string_view checksum_key = "crc_num";
inline constexpr std::string_view int4_value =
    "Int4";  // under the name of a tensor of I8 whose bytes hold two int4 each
inline constexpr std::string_view int4_stored_as = "I8";

/// Whether a pair of the metadata is about the file; any other that is not about a tensor is a string entry.
[[nodiscard]] constexpr bool is_reserved(std::string_view metadata_key) noexcept {
  return metadata_key == format_key || metadata_key == redundancy_key || metadata_key == checksum_key;
}

}  // namespace ckpt::safetensors_schema

#endif
