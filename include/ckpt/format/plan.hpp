#ifndef CKPT_FORMAT_PLAN_HPP
#define CKPT_FORMAT_PLAN_HPP

#include <cstddef>
#include <cstdint>
#include <utility>

#include <ckpt/core/arena.hpp>
#include <ckpt/core/byte_span.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/core/trivial_vector.hpp>
#include <ckpt/format/checksum_place.hpp>
#include <ckpt/model/entries.hpp>
#include <ckpt/model/metadata_pair.hpp>
#include <ckpt/model/segment.hpp>

namespace ckpt {

/// What a safetensors file says under "format" in its metadata.
enum class format_pair : std::uint8_t {
  added,     ///< "ms", as MindSpore does, where neither the caller's pairs nor those of a loaded file say another
  as_given,  ///< what these say, and nothing where they do not
};

/// What a format is told beside the entries.
struct format_options {
  std::uint64_t align =
      0;  ///< alignment of tensor data in the file, where the format leaves a choice; 0 or a power of two
  sequence<metadata_pair> metadata{};  ///< further pairs for a format that has metadata
  ckpt::format_pair format_pair = ckpt::format_pair::added;
  bool checksum = false;  ///< whether the plan is to have a place for one: plan::set_checksum
};

/// A file, decided to the last byte before any of it is written: its segments in order. Owns the bytes that the format
/// adds; borrows the entries' content. The entries must outlive the plan.
class plan {
 public:
  [[nodiscard]] std::uint64_t size() const noexcept { return m_size; }
  [[nodiscard]] sequence<segment> segments() const noexcept { return m_segments; }

  /// `size` bytes of the file that the caller fills in at once.
  [[nodiscard]] byte_span add_owned(std::size_t size) {
    std::byte* const bytes = m_memory.allocate(size);
    add(sequence<std::byte>(bytes, size));
    return {bytes, size};
  }

  /// Memory that lives as long as the plan, for content that the format has to encode.
  [[nodiscard]] byte_span store(std::size_t size) { return {m_memory.allocate(size), size}; }

  /// Whether some of it is read from a source while it is written.
  [[nodiscard]] bool reads_source() const noexcept { return m_reads_source; }
  /// Whether such a source is best read in order.
  [[nodiscard]] bool is_best_in_order() const noexcept { return m_is_best_in_order; }

  void add(segment next) {
    if (next.size() == 0) return;
    if (next.is_gathered() && next.origin().from != nullptr) {
      m_reads_source = true;
      m_is_best_in_order = m_is_best_in_order || next.origin().from->is_best_in_order();
    }
    m_segments.push_back(next);
    m_size += next.size();
  }

  /// The bytes [begin, begin + size) of an entry's content.
  void add_content(const entry& from, std::uint64_t begin, std::uint64_t size) {
    for (const segment& piece : from.pieces()) {
      if (size == 0) return;
      if (begin >= piece.size()) {
        begin -= piece.size();
        continue;
      }
      const std::uint64_t take = piece.size() - begin < size ? piece.size() - begin : size;
      const segment taken = part(piece, begin, take);
      add(from.kind == entry_kind::tensor ? taken.as_content() : taken);
      size -= take;
      begin = 0;
    }
  }

  /// All bytes of the file lie in `image` now, and nothing else is looked at any more. It must outlive the plan.
  void replace_by(sequence<std::byte> image) noexcept {
    m_segments.resize_for_overwrite(image.empty() ? 0 : 1);
    if (!image.empty()) m_segments[0] = segment(image);
    m_reads_source = false;
    m_is_best_in_order = false;
  }

  void reserve(std::size_t segments) { m_segments.reserve(segments); }

  /// Where the file keeps its checksum; checksum().size is 0 where it has no place for one. Bytes at the end are not
  /// counted by size() and those among the segments hold anything: who executes the plan writes them.
  [[nodiscard]] const checksum_place& checksum() const noexcept { return m_checksum; }
  void set_checksum(checksum_place place) noexcept { m_checksum = std::move(place); }

 private:
  segment part(const segment& piece, std::uint64_t begin, std::uint64_t size) {
    if (!piece.is_gathered()) return sequence<std::byte>(piece.bytes().data() + begin, static_cast<std::size_t>(size));
    gather from = piece.origin();
    from.first += begin;
    return segment(*m_memory.store(&from, 1), size);
  }

  arena m_memory;
  trivial_vector<segment> m_segments;
  checksum_place m_checksum;
  std::uint64_t m_size = 0;
  bool m_reads_source = false;
  bool m_is_best_in_order = false;
};

}  // namespace ckpt

#endif
