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
  explicit source_window(const source& from) noexcept : m_source(&from), m_size(from.size()) {
    if (is_stable()) m_view = {from.data(), static_cast<std::size_t>(m_size)};
  }
  source_window(const source_window&) = delete;
  source_window& operator=(const source_window&) = delete;

  /// Whether what at() returned stays valid.
  [[nodiscard]] bool is_stable() const noexcept { return m_source->data() != nullptr; }

  /// At least `want` bytes from `offset` on, or all up to the end. Throws as source::read.
  [[nodiscard]] sequence<std::byte> at(std::uint64_t offset, std::size_t want) {
    const std::uint64_t skipped = offset - m_begin;  // past any view where offset lies before it
    if (skipped < m_view.size() && m_view.size() - skipped >= want)
      return m_view.subspan(static_cast<std::size_t>(skipped));
    return move_to(offset, want);
  }

 private:
  // One look says little of the next: a jump reads a page, and looks that follow each other read twice as much each
  // time.
  static constexpr std::size_t smallest = std::size_t{4} << 10;
  static constexpr std::size_t largest = std::size_t{1} << 20;

  [[gnu::noinline]] sequence<std::byte> move_to(std::uint64_t offset, std::size_t want) {  // apart: at() is inlined
    if (offset >= m_size) return {};
    const std::uint64_t left = m_size - offset;
    if (want > left) want = static_cast<std::size_t>(left);
    const std::uint64_t skipped = offset - m_begin;
    if (skipped > m_view.size() || m_view.size() - skipped < want) fill(offset, want, left);
    return m_view.subspan(static_cast<std::size_t>(offset - m_begin));
  }

  void fill(std::uint64_t offset, std::size_t want, std::uint64_t left) {
    const std::uint64_t end = m_begin + m_view.size();
    const bool follows = offset >= m_begin && offset <= end + smallest && !m_view.empty();
    m_step = !follows ? smallest : m_step < largest ? 2 * m_step : largest;
    const std::size_t size = left < m_step ? static_cast<std::size_t>(left) : m_step;
    m_view = {};
    m_buffer.resize_for_overwrite(want > size ? want : size);
    m_source->read(offset, m_buffer);
    m_view = m_buffer;
    m_begin = offset;
  }

  const source* m_source;
  std::uint64_t m_size;
  trivial_vector<std::byte> m_buffer;
  sequence<std::byte> m_view;  // what was read last, from m_begin on: the buffer, or all of a source in memory
  std::uint64_t m_begin = 0;
  std::size_t m_step = smallest;
};

}  // namespace ckpt

#endif
