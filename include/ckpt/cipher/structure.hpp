#ifndef CKPT_CIPHER_STRUCTURE_HPP
#define CKPT_CIPHER_STRUCTURE_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <ckpt/core/byte_span.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/io/source.hpp>
#include <ckpt/wire/varint.hpp>

namespace ckpt {

/// A file without the content of its tensors, as a seal carries it, so that what an encrypted file holds is known
/// before any block of it is decrypted. Runs, one after the other, each:
///
///     varint   bytes that are kept, and these bytes
///     varint   bytes of content that follow them in the file, and are left out
class structure_writer {
 public:
  /// The next bytes of the file.
  void keep(std::span<const std::byte> bytes) {
    if (m_left_out > 0) end_run();
    m_kept.insert(m_kept.end(), bytes.data(), bytes.data() + bytes.size());
  }
  /// The next bytes of the file, which are content.
  void leave_out(std::uint64_t size) noexcept { m_left_out += size; }

  /// Bytes so far.
  [[nodiscard]] std::size_t size() const noexcept { return m_bytes.size() + m_kept.size(); }

  /// All of it; call it once, at the end.
  [[nodiscard]] std::vector<std::byte> finish() {
    if (!m_kept.empty() || m_left_out > 0) end_run();
    return std::move(m_bytes);
  }

 private:
  void end_run() {
    add_varint(m_kept.size());
    m_bytes.insert(m_bytes.end(), m_kept.begin(), m_kept.end());
    add_varint(m_left_out);
    m_kept.clear();
    m_left_out = 0;
  }
  void add_varint(std::uint64_t value) {
    std::byte bytes[wire::max_varint_size];
    m_bytes.insert(m_bytes.end(), &bytes[0], wire::write_varint(&bytes[0], value));
  }

  std::vector<std::byte> m_bytes;
  std::vector<std::byte> m_kept;
  std::uint64_t m_left_out = 0;
};

/// The file that a structure describes, zeros in place of all content: for readers of formats, which do not look at it.
class structure_source final : public source {
 public:
  /// The bytes must outlive this. Throws format_error where they are no structure.
  structure_source(sequence<std::byte> structure, std::string label) : source(std::move(label)) {
    while (!structure.empty()) {
      const std::uint64_t kept = take_varint(structure);
      if (kept > structure.size()) refuse();
      m_runs.push_back({m_size, {structure.data(), static_cast<std::size_t>(kept)}});
      structure = structure.subspan(static_cast<std::size_t>(kept));
      const std::uint64_t left_out = take_varint(structure);
      if (left_out > ~std::uint64_t{0} / 2 - kept - m_size) refuse();
      m_size += kept + left_out;
    }
  }

  [[nodiscard]] std::uint64_t size() const noexcept override { return m_size; }

  void read(std::uint64_t offset, byte_span to) const override {
    require(offset, to.size());
    if (to.empty()) return;
    std::memset(to.data(), 0, to.size());
    const std::uint64_t end = offset + to.size();
    auto next = std::upper_bound(m_runs.begin(), m_runs.end(), offset,
                                 [](std::uint64_t place, const run& each) { return place < each.offset; });
    for (next = next == m_runs.begin() ? next : next - 1; next != m_runs.end() && next->offset < end; ++next) {
      const std::uint64_t from = std::max(next->offset, offset);
      const std::uint64_t until = std::min(next->offset + next->bytes.size(), end);
      if (from < until)
        std::memcpy(to.data() + (from - offset), next->bytes.data() + (from - next->offset),
                    static_cast<std::size_t>(until - from));
    }
  }

 private:
  struct run {
    std::uint64_t offset;  // in the file
    sequence<std::byte> bytes;
  };

  [[noreturn]] void refuse() const {
    throw format_error(errc::malformed, {.path = label()}, "the structure in the seal cannot be read");
  }

  std::uint64_t take_varint(sequence<std::byte>& from) const {
    const wire::varint read = wire::read_varint(from);
    if (read.size == 0) refuse();
    from = from.subspan(read.size);
    return read.value;
  }

  std::vector<run> m_runs;
  std::uint64_t m_size = 0;
};

}  // namespace ckpt

#endif
