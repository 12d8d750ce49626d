#ifndef CKPT_FORMAT_SAFETENSORS_CHECKSUM_HPP
#define CKPT_FORMAT_SAFETENSORS_CHECKSUM_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <ckpt/core/byte_span.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/format/checksum_place.hpp>
#include <ckpt/json/writer.hpp>
#include <ckpt/tensor/dtype.hpp>

// The checksum of a safetensors file as MindSpore keeps it: the pair "crc_num" of the metadata, in decimal, over each
// name and then the tensor's bytes, names in order. What else the header says is not counted.
namespace ckpt::safetensors_schema {

/// The value of the pair, known only after the data, has a place as wide as the longest: the quotes, ten digits.
inline constexpr std::size_t checksum_slot_size = 12;

/// Writes the value between quotes, and blanks behind it.
constexpr void render_checksum(std::uint32_t value, byte_span to) noexcept {
  char text[checksum_slot_size] = {'"'};
  char* end = write_json_number(&text[1], value);
  *end++ = '"';
  for (std::size_t i = 0; i < checksum_slot_size; ++i) to[i] = static_cast<std::byte>(&text[i] < end ? text[i] : ' ');
}

/// An integer without axes counts as that many zero bytes, whatever its own, unless it is negative or passes 2^63:
/// MindSpore takes bytes(array), which Python reads so (mindspore/train/serialization.py). nullopt: its bytes count, as
/// those of all else.
[[nodiscard]] constexpr std::optional<std::uint64_t> zeros_counted(dtype type, sequence<std::byte> content) noexcept {
  const bool is_signed = type == dtype::int4 || type == dtype::int8 || type == dtype::int16 || type == dtype::int32 ||
                         type == dtype::int64;
  const bool is_unsigned =
      type == dtype::uint8 || type == dtype::uint16 || type == dtype::uint32 || type == dtype::uint64;
  if (!(is_signed || is_unsigned) || content.size() > sizeof(std::uint64_t)) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < content.size(); ++i) value |= std::to_integer<std::uint64_t>(content[i]) << (8 * i);
  const bool is_negative = is_signed && !content.empty() && (content.back() & std::byte{0x80}) != std::byte{0};
  if (is_negative || value >> 63 != 0) return std::nullopt;
  return value;
}

/// The part of a tensor without axes, where its `content` counts as zeros.
inline void count_zeros(checksum_part& part, dtype type, sequence<std::byte> content) noexcept {
  if (const std::optional<std::uint64_t> zeros = zeros_counted(type, content)) {
    part.size = 0;
    part.zeros = *zeros;
  }
}

/// Brings the parts of tensors in the order in which they are counted: that of their names.
template <class Parts>
void sort_by_name(Parts& parts) {
  const auto before = [](const checksum_part& a, const checksum_part& b) { return a.before < b.before; };
  if (!std::is_sorted(parts.begin(), parts.end(), before)) std::sort(parts.begin(), parts.end(), before);
}

}  // namespace ckpt::safetensors_schema

#endif
