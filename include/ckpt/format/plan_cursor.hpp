#ifndef CKPT_FORMAT_PLAN_CURSOR_HPP
#define CKPT_FORMAT_PLAN_CURSOR_HPP

#include <cstddef>
#include <cstdint>
#include <span>

#include <ckpt/core/byte_span.hpp>
#include <ckpt/core/trivial_vector.hpp>
#include <ckpt/format/plan.hpp>
#include <ckpt/io/source.hpp>
#include <ckpt/model/segment.hpp>

namespace ckpt {

/// Reads the bytes of a plan from any place on, in order. Allocates nothing but in read_together().
class plan_cursor {
 public:
  /// Goes to byte `offset` of the file. The plan must outlive the cursor.
  void seek(const plan& from, std::uint64_t offset) noexcept {
    m_next = from.segments().data();
    m_within = 0;
    skip(offset);
  }

  /// The bytes that lie in one piece from here on; none where they have to be gathered.
  [[nodiscard]] std::span<const std::byte> run() const noexcept {
    const std::span<const std::byte> bytes = m_next->bytes();
    return bytes.empty() ? bytes : bytes.subspan(static_cast<std::size_t>(m_within));
  }

  /// Copies the next bytes; there must be as many. Throws what a source of segments throws.
  void read(byte_span to) {
    for_each_piece(to, [&](std::span<std::byte> piece) { m_next->copy_to(m_within, piece); });
  }

  /// The same, but what follows each other in a source is read by one source::read_all(): one that decrypts does so by
  /// several threads, and each of its blocks once.
  void read_together(std::span<std::byte> to) {
    trivial_vector<read_request> requests;
    const source* from = nullptr;
    std::uint64_t end = 0;  // of the requests
    const auto read_requests = [&] {
      if (!requests.empty()) from->read_all(requests, [](std::uint64_t) {});
      requests.clear();
    };
    for_each_piece(to, [&](std::span<std::byte> piece) {
      if (!m_next->is_gathered() || m_next->origin().from == nullptr) return m_next->copy_to(m_within, piece);
      const std::uint64_t offset = m_next->origin().first + m_within;
      if (from != m_next->origin().from || offset < end) read_requests();
      from = m_next->origin().from;
      end = offset + piece.size();
      requests.push_back({offset, piece});
    });
    read_requests();
  }

  /// Passes over bytes; there must be as many.
  void skip(std::uint64_t size) noexcept {
    m_within += size;
    while (m_within > 0 && m_within >= m_next->size()) m_within -= (m_next++)->size();
  }

 private:
  /// Gives `copy` each part of `to` that one segment fills, which m_next and m_within then say, and passes over it.
  template <class Copy>
  void for_each_piece(std::span<std::byte> to, Copy copy) {
    while (!to.empty()) {
      const std::uint64_t left = m_next->size() - m_within;
      const std::span<std::byte> piece = to.first(left < to.size() ? static_cast<std::size_t>(left) : to.size());
      copy(piece);
      skip(piece.size());
      to = to.subspan(piece.size());
    }
  }

  const segment* m_next = nullptr;
  std::uint64_t m_within = 0;
};

}  // namespace ckpt

#endif
