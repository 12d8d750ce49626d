#ifndef CKPT_MODEL_SEGMENT_HPP
#define CKPT_MODEL_SEGMENT_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include <ckpt/tensor/tensor_view.hpp>

namespace ckpt {

/// A strided tensor as a source of bytes: its packed content from byte `first` on.
struct gather {
  const tensor_view* view;
  std::uint64_t first;
};

/// A run of bytes that goes to a file: either bytes that lie in memory, or the packed content of a strided tensor, put
/// together while it is written. Borrows both.
class segment {
 public:
  segment(std::span<const std::byte> bytes) noexcept  // NOLINT(google-explicit-constructor): the common kind
      : m_from(bytes.data()), m_size(bytes.size() & max_size), m_strided(0) {}
  segment(const gather& strided, std::uint64_t size) noexcept
      : m_from(&strided), m_size(size & max_size), m_strided(1) {}

  [[nodiscard]] std::uint64_t size() const noexcept { return m_size; }
  [[nodiscard]] bool is_strided() const noexcept { return m_strided != 0; }

  /// The bytes where they lie; of a strided segment there are none.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
    if (is_strided()) return {};
    return {static_cast<const std::byte*>(m_from), static_cast<std::size_t>(m_size)};
  }

  /// What a strided segment gathers from.
  [[nodiscard]] const gather& source() const noexcept { return *static_cast<const gather*>(m_from); }

  /// Fills `to` with the bytes from `offset` on; they must lie within the segment.
  void copy_to(std::uint64_t offset, std::span<std::byte> to) const noexcept {
    if (is_strided()) {
      source().view->copy_to(source().first + offset, {to.data(), to.size()});
    } else if (!to.empty()) {
      std::memcpy(to.data(), static_cast<const std::byte*>(m_from) + offset, to.size());
    }
  }

 private:
  static constexpr std::uint64_t max_size = ~std::uint64_t{0} >> 1;

  const void* m_from;
  std::uint64_t m_size : 63;
  std::uint64_t m_strided : 1;
};

static_assert(sizeof(segment) == 16, "a plan holds two of them for each tensor");

}  // namespace ckpt

#endif
