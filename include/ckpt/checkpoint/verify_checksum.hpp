#ifndef CKPT_CHECKPOINT_VERIFY_CHECKSUM_HPP
#define CKPT_CHECKPOINT_VERIFY_CHECKSUM_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <ckpt/checkpoint/part_sums.hpp>
#include <ckpt/checksum/concept.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/excerpt.hpp>
#include <ckpt/core/hexadecimal.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/core/trivial_vector.hpp>
#include <ckpt/format/checksum_place.hpp>
#include <ckpt/format/mindspore_schema.hpp>
#include <ckpt/format/safetensors_checksum.hpp>
#include <ckpt/format/safetensors_schema.hpp>
#include <ckpt/io/source.hpp>
#include <ckpt/io/source_window.hpp>
#include <ckpt/model/file_index.hpp>

namespace ckpt {

/// The checksum that a file carries.
struct stored_checksum {
  std::string text;         ///< for errors
  std::uint64_t value = 0;  ///< past 32 bits where it is a number that no checksum can be
};

namespace detail {

/// `0x0001beef`: eight digits, more only where they say something.
inline std::string hexadecimal(sequence<std::byte> big_endian) {
  while (big_endian.size() > 4 && big_endian[0] == std::byte{0}) big_endian = big_endian.subspan(1);
  std::string text = "0x";
  append_hexadecimal(text, big_endian);
  return text;
}

inline std::string hexadecimal(std::uint32_t value) {
  std::byte bytes[4];
  for (std::size_t i = 0; i < sizeof bytes; ++i) bytes[i] = static_cast<std::byte>(value >> (24 - 8 * i) & 0xff);
  return hexadecimal(bytes);
}

/// The last ten bytes of a ckpt file, a big-endian number.
template <class Source>
stored_checksum read_trailer(const Source& from) {
  std::byte bytes[mindspore_schema::checksum_trailer_size - mindspore_schema::checksum_marker.size()];
  from.read(from.size() - sizeof bytes, bytes);
  stored_checksum result{hexadecimal(bytes), 0};
  for (const std::byte byte : bytes)
    if (result.value >> 32 == 0) result.value = result.value << 8 | std::to_integer<std::uint64_t>(byte);
  return result;
}

/// The pair of a safetensors file's metadata, in decimal.
template <class Index>
stored_checksum read_pair(const Index& index) {
  for (const auto& [key, text] : index.metadata()) {
    if (key != safetensors_schema::checksum_key) continue;
    if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos)
      throw integrity_error(errc::checksum, {.path = index.label(), .found = std::string(text)},
                            concat({"the checksum in its metadata, \"crc_num\", is no number: \"", excerpt(text),
                                    text.size() > 64 ? "...\"" : "\""}));
    std::uint64_t value = 0;
    for (const char digit : text) {
      value = 10 * value + static_cast<std::uint64_t>(digit - '0');
      if (value >> 32 != 0) return {std::string(excerpt(text)), value};
    }
    return {hexadecimal(static_cast<std::uint32_t>(value)), value};
  }
  return {};
}

template <class Source>
trivial_vector<checksum_part> parts_of_safetensors(const Source& from, const file_index& index) {
  trivial_vector<checksum_part> parts;
  parts.reserve(index.size());
  source_window window(from);
  for (const index_entry& entry : index) {
    if (entry.kind() != entry_kind::tensor) continue;
    const extent where = entry.extents().front();
    checksum_part part{.offset = where.offset, .size = where.size, .before = entry.name()};
    if (entry.shape().empty() && where.size <= sizeof(std::uint64_t)) {
      const auto size = static_cast<std::size_t>(where.size);
      safetensors_schema::count_zeros(part, entry.type(), window.at(where.offset, size).first(size));
    }
    parts.push_back(part);
  }
  safetensors_schema::sort_by_name(parts);
  return parts;
}

}  // namespace detail

/// Compares the content of a file with the checksum that it carries, as the bytes come.
template <checksum_policy Checksum>
class checksum_verifier {
 public:
  /// `index` is all that the file holds, as the format's reader gave it: choose() and relocate() come later. It must
  /// have a checksum, and outlive this. Throws integrity_error where that is no number, and what the source throws.
  checksum_verifier(const source& from, const file_index& index)
      : m_index(&index),
        m_stored(is_safetensors() ? detail::read_pair(index) : detail::read_trailer(from)),
        m_parts(is_safetensors() ? detail::parts_of_safetensors(from, index) : parts_of_ckpt(from)),
        m_sums(m_parts) {}
  checksum_verifier(const checksum_verifier&) = delete;
  checksum_verifier& operator=(const checksum_verifier&) = delete;

  /// Takes the next bytes of the file, from its first to its last.
  void update(sequence<std::byte> bytes) { m_sums.update(bytes); }

  /// When all have come: throws integrity_error where they are not those that were written.
  void finish() {
    const std::uint32_t found = m_sums.value();
    if (m_stored.value == found) return;
    const std::string text = detail::hexadecimal(found);
    throw integrity_error(errc::checksum, {.path = m_index->label(), .expected = m_stored.text, .found = text},
                          concat({"the content is not what was written: its ", Checksum::name, " is ", text,
                                  ", the file says ", m_stored.text}));
  }

 private:
  [[nodiscard]] bool is_safetensors() const noexcept { return m_index->format() == "safetensors"; }

  [[nodiscard]] static trivial_vector<checksum_part> parts_of_ckpt(const source& from) {
    trivial_vector<checksum_part> parts;
    parts.push_back({.offset = 0, .size = from.size() - mindspore_schema::checksum_trailer_size});
    return parts;
  }

  const file_index* m_index;
  stored_checksum m_stored;
  trivial_vector<checksum_part> m_parts;
  part_sums<Checksum> m_sums;
};

/// Reads a whole file and compares it with the checksum that it carries; `index` as for checksum_verifier. Throws
/// integrity_error where they differ, and where there is none, unless `allow_absent`; and what the source throws.
template <checksum_policy Checksum>
void verify_checksum(const source& from, const file_index& index, bool allow_absent) {
  if (!index.has_checksum()) {
    if (allow_absent) return;
    throw integrity_error(
        errc::checksum, {.path = index.label()},
        "the file has no checksum, which may mean that it was cut between two of its tensors; to load "
        "it all the same, say .allow_no_checksum = true");
  }
  checksum_verifier<Checksum> verifier(from, index);
  constexpr std::uint64_t piece = std::uint64_t{1} << 20;
  const std::byte* const data = from.data();
  trivial_vector<std::byte> buffer;
  if (data == nullptr) buffer.resize_for_overwrite(static_cast<std::size_t>(from.size() < piece ? from.size() : piece));
  for (std::uint64_t at = 0; at < from.size(); at += piece) {
    const auto size = static_cast<std::size_t>(from.size() - at < piece ? from.size() - at : piece);
    if (data == nullptr) from.read(at, {buffer.data(), size});
    verifier.update({data == nullptr ? buffer.data() : data + at, size});
  }
  verifier.finish();
}

}  // namespace ckpt

#endif
