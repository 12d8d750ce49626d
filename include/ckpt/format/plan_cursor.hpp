#ifndef CKPT_FORMAT_PLAN_CURSOR_HPP
#define CKPT_FORMAT_PLAN_CURSOR_HPP

#include <cstddef>
#include <cstdint>
#include <span>

#include <ckpt/format/plan.hpp>
#include <ckpt/model/segment.hpp>

namespace ckpt {

/// Reads the bytes of a plan from any place on, in order. Allocates nothing.
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

  /// The segment that holds the next byte, and where in it that is.
  [[nodiscard]] const segment& current() const noexcept { return *m_next; }
  [[nodiscard]] std::uint64_t within() const noexcept { return m_within; }

  /// Copies the next bytes; there must be as many. Throws what a source of segments throws.
  void read(std::span<std::byte> to) {
    while (!to.empty()) {
      const std::uint64_t left = m_next->size() - m_within;
      const std::size_t size = left < to.size() ? static_cast<std::size_t>(left) : to.size();
      m_next->copy_to(m_within, to.first(size));
      skip(size);
      to = to.subspan(size);
    }
  }
  /// Passes over bytes; there must be as many.
  void skip(std::uint64_t size) noexcept {
    m_within += size;
    while (m_within > 0 && m_within >= m_next->size()) m_within -= (m_next++)->size();
  }

 private:
  const segment* m_next = nullptr;
  std::uint64_t m_within = 0;
};

}  // namespace ckpt

#endif
