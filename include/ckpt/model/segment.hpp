#ifndef CKPT_MODEL_SEGMENT_HPP
#define CKPT_MODEL_SEGMENT_HPP

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <ckpt/core/byte_span.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/io/source.hpp>
#include <ckpt/tensor/tensor_view.hpp>

namespace ckpt {

/// Bytes that are fetched only while they are written, from byte `first` on: the packed content of a strided tensor, or
/// what a source has.
struct gather {
  const tensor_view* view;  ///< nullptr: of `from`
  std::uint64_t first;
  const source* from = nullptr;
};

/// A run of bytes that goes to a file: either bytes that lie in memory, or a gather. Borrows both.
class segment {
 public:
  /// Of whatever passes as a sequence<std::byte>. (A constructor from a std::span would be asked at each copy of a
  /// segment, too, and the compiler with it whether a segment is a range.)
  template <std::convertible_to<sequence<std::byte>> Bytes>
  segment(const Bytes& bytes) noexcept  // NOLINT(google-explicit-constructor): the common kind
      : m_from(sequence<std::byte>(bytes).data()),
        m_size(sequence<std::byte>(bytes).size() & max_size),
        m_gathered(0),
        m_content(0) {}
  segment(const gather& from, std::uint64_t size) noexcept
      : m_from(&from), m_size(size & max_size), m_gathered(1), m_content(0) {}

  /// The same, as content of a tensor: what the structure of a file does not depend on.
  [[nodiscard]] segment as_content() const noexcept {
    segment content = *this;
    content.m_content = 1;
    return content;
  }
  [[nodiscard]] bool is_content() const noexcept { return m_content != 0; }

  [[nodiscard]] std::uint64_t size() const noexcept { return m_size; }
  [[nodiscard]] bool is_gathered() const noexcept { return m_gathered != 0; }

  /// The bytes where they lie; of a gathered segment there are none.
  [[nodiscard]] sequence<std::byte> bytes() const noexcept {
    if (is_gathered()) return {};
    return {static_cast<const std::byte*>(m_from), static_cast<std::size_t>(m_size)};
  }

  /// What a gathered segment is fetched from.
  [[nodiscard]] const gather& origin() const noexcept { return *static_cast<const gather*>(m_from); }

  /// Fills `to` with the bytes from `offset` on; they must lie within the segment. Throws what source::read throws.
  void copy_to(std::uint64_t offset, byte_span to) const {
    if (is_gathered()) {
      const auto& [view, first, from] = origin();
      if (view != nullptr) view->copy_to(first + offset, to);
      else from->read(first + offset, to);
    } else if (!to.empty()) {
      std::memcpy(to.data(), static_cast<const std::byte*>(m_from) + offset, to.size());
    }
  }

 private:
  static constexpr std::uint64_t max_size = ~std::uint64_t{0} >> 2;

  const void* m_from;
  std::uint64_t m_size : 62;
  std::uint64_t m_gathered : 1;
  std::uint64_t m_content : 1;
};

static_assert(sizeof(segment) == 16, "a plan holds two of them for each tensor");

}  // namespace ckpt

#endif
