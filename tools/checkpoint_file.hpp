#ifndef CKPT_TOOLS_CHECKPOINT_FILE_HPP
#define CKPT_TOOLS_CHECKPOINT_FILE_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <ckpt/core/error.hpp>
#include <ckpt/format/detect.hpp>
#include <ckpt/io/file_source.hpp>
#include <ckpt/json/utf8.hpp>
#include <ckpt/model/file_index.hpp>

namespace ckpt::tools {

/// A checkpoint file that is read a buffer at a time: larger than memory, on a network disk, or cut short meanwhile, it
/// gives errors and nothing worse.
struct checkpoint_file {
  explicit checkpoint_file(std::string path) : bytes(std::move(path)), index(read_index(bytes)) {}

  file_source bytes;
  file_index index;
};

/// The content of a tensor or map from its first byte to its last, whatever pieces the file holds it in.
class content_stream {
 public:
  /// Both must outlive the stream.
  content_stream(const source& from, const index_entry& what) : m_from(from), m_what(what) {}

  /// Fills `to` as far as there is content left. Returns how many bytes that were; fewer than asked for only at the
  /// end.
  std::size_t read(std::span<std::byte> to) {
    std::size_t done = 0;
    while (done < to.size() && m_extent < m_what.extents().size()) {
      const extent& part = m_what.extents()[m_extent];
      const std::uint64_t left = part.size - m_at;
      const std::size_t count = left < to.size() - done ? static_cast<std::size_t>(left) : to.size() - done;
      m_from.read(part.offset + m_at, to.subspan(done, count));
      done += count;
      m_at += count;
      if (m_at < part.size) break;
      ++m_extent;
      m_at = 0;
    }
    return done;
  }

 private:
  const source& m_from;
  const index_entry& m_what;
  std::size_t m_extent = 0;
  std::uint64_t m_at = 0;  // of the extent
};

/// Enough to keep a disk busy. A multiple of every element's size.
inline constexpr std::size_t buffer_size = std::size_t{4} << 20;

/// The first byte that is no bool.
[[nodiscard]] inline std::optional<std::size_t> find_bad_bool(std::span<const std::byte> bools) noexcept {
  for (std::size_t at = 0; at < bools.size(); ++at)
    if (bools[at] > std::byte{1}) return at;
  return std::nullopt;
}

/// The text of a string. Throws format_error where UTF-8 cannot express it.
[[nodiscard]] inline std::string_view text_of(const file_index& index, const index_entry& entry) {
  if (!is_utf8(entry.text()))
    throw format_error(errc::unsupported, {.path = index.label(), .name = std::string(entry.name()), .noun = "string"},
                       "it holds a lone surrogate, which UTF-8 cannot express");
  return entry.text();
}

[[noreturn]] inline void refuse_bool(const file_index& index, const index_entry& entry, std::byte found,
                                     std::optional<std::uint64_t> offset = std::nullopt) {
  throw format_error(errc::malformed, {.path = index.label(), .name = std::string(entry.name()), .offset = offset},
                     "a bool is " + std::to_string(std::to_integer<int>(found)) + ", neither 0 nor 1");
}

}  // namespace ckpt::tools

#endif
