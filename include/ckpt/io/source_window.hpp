#ifndef CKPT_IO_SOURCE_WINDOW_HPP
#define CKPT_IO_SOURCE_WINDOW_HPP

#include <cstddef>
#include <cstdint>

#include <ckpt/core/sequence.hpp>
#include <ckpt/core/trivial_vector.hpp>
#include <ckpt/io/source.hpp>

namespace ckpt {

/// Looks at a source here and there, as one parses a file whose structure lies between large payloads: straight into
/// memory where the source has it, else through a buffer that is read again where a look falls outside it.
class source_window {
 public:
  /// The source must outlive the window.
  explicit source_window(const source& from) noexcept : m_source(&from), m_data(from.data()), m_size(from.size()) {}

  /// Whether what at() returned stays valid.
  [[nodiscard]] bool is_stable() const noexcept { return m_data != nullptr; }

  /// At least `want` bytes from `offset` on, or all up to the end. Throws as source::read.
  [[nodiscard]] sequence<std::byte> at(std::uint64_t offset, std::size_t want) {
    if (offset >= m_size) return {};
    const std::uint64_t left = m_size - offset;
    if (m_data != nullptr) return {m_data + offset, static_cast<std::size_t>(left)};
    if (want > left) want = static_cast<std::size_t>(left);
    if (offset < m_begin || offset - m_begin > m_buffer.size() || m_buffer.size() - (offset - m_begin) < want)
      fill(offset, want, left);
    const auto skipped = static_cast<std::size_t>(offset - m_begin);
    return {m_buffer.data() + skipped, m_buffer.size() - skipped};
  }

 private:
  // One look says little of the next: a jump reads a page, and looks that follow each other read twice as much each
  // time.
  static constexpr std::size_t smallest = std::size_t{4} << 10;
  static constexpr std::size_t largest = std::size_t{1} << 20;

  void fill(std::uint64_t offset, std::size_t want, std::uint64_t left) {
    const std::uint64_t end = m_begin + m_buffer.size();
    const bool follows = offset >= m_begin && offset <= end + smallest && !m_buffer.empty();
    m_step = !follows ? smallest : m_step < largest ? 2 * m_step : largest;
    const std::size_t size = left < m_step ? static_cast<std::size_t>(left) : m_step;
    m_buffer.resize_for_overwrite(want > size ? want : size);
    m_begin = offset;
    m_source->read(offset, {m_buffer.data(), m_buffer.size()});
  }

  const source* m_source;
  const std::byte* m_data;
  std::uint64_t m_size;
  trivial_vector<std::byte> m_buffer;
  std::uint64_t m_begin = 0;
  std::size_t m_step = smallest;
};

}  // namespace ckpt

#endif
