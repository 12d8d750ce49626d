#ifndef CKPT_FORMAT_CHECKSUM_PLACE_HPP
#define CKPT_FORMAT_CHECKSUM_PLACE_HPP

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <ckpt/core/byte_span.hpp>
#include <ckpt/core/trivial_vector.hpp>

namespace ckpt {

/// One part of what the checksum of a file is over: first `before`, then `zeros` zero bytes, neither of them in the
/// file as such, then the bytes [offset, offset + size) of the file.
struct checksum_part {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::string_view before{};
  std::uint64_t zeros = 0;
};

/// Where a file keeps its checksum, and what that is over.
struct checksum_place {
  /// Of its bytes in the file; plan::size() where they follow all segments.
  std::uint64_t offset = 0;
  /// How many bytes they are; 0: the format has no place for one.
  std::size_t size = 0;
  /// Writes a checksum's bytes.
  void (*render)(std::uint32_t value, byte_span to) = nullptr;
  /// In the order in which they are counted. Their bytes do not overlap. `before` is borrowed, from the entries, say.
  trivial_vector<checksum_part> parts{};
};

}  // namespace ckpt

#endif
