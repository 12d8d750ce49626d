#ifndef CKPT_TENSOR_SHAPE_HPP
#define CKPT_TENSOR_SHAPE_HPP

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <string>

#include <ckpt/core/checked.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/core/trivial_swap.hpp>

namespace ckpt {

/// Whether two shapes are the same.
[[nodiscard]] inline bool same_extents(sequence<std::int64_t> a, sequence<std::int64_t> b) noexcept {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(std::int64_t)) == 0);
}

/// The extents of a tensor, outermost first; no extents at all is a single element (0-d). Up to four lie in the object.
/// A contiguous range, so it passes as std::span<const std::int64_t>; extents() is the same, quicker to compile.
class shape {
 public:
  shape() noexcept {}
  shape(std::initializer_list<std::int64_t> extents) : shape(sequence<std::int64_t>(extents.begin(), extents.size())) {}
  /// Of integers without a sign, in which other libraries count elements.
  template <std::unsigned_integral T>
  shape(std::initializer_list<T> extents) : m_size(extents.size()) {
    std::int64_t* to = make_room();
    for (const T extent : extents) *to++ = static_cast<std::int64_t>(extent);
  }
  explicit shape(sequence<std::int64_t> extents) : m_size(extents.size()) {
    std::int64_t* const to = make_room();
    if (!extents.empty()) std::memcpy(to, extents.data(), m_size * sizeof(std::int64_t));
  }
  shape(const shape& other) : shape(sequence<std::int64_t>(other.begin(), other.m_size)) {}
  shape(shape&& other) noexcept : shape() { swap(other); }
  shape& operator=(shape other) noexcept {
    swap(other);
    return *this;
  }
  ~shape() {
    if (m_size > few) delete[] m_many;
  }

  [[nodiscard]] std::size_t size() const noexcept { return m_size; }
  [[nodiscard]] bool empty() const noexcept { return m_size == 0; }
  [[nodiscard]] const std::int64_t* data() const noexcept { return begin(); }
  [[nodiscard]] const std::int64_t* begin() const noexcept { return m_size <= few ? m_few : m_many; }
  [[nodiscard]] const std::int64_t* end() const noexcept { return begin() + m_size; }
  [[nodiscard]] std::int64_t operator[](std::size_t axis) const noexcept { return begin()[axis]; }
  [[nodiscard]] sequence<std::int64_t> extents() const noexcept { return {begin(), m_size}; }

  friend bool operator==(const shape& a, const shape& b) noexcept { return same_extents(a.extents(), b.extents()); }

 private:
  static constexpr std::size_t few = 4;

  /// For m_size extents.
  [[nodiscard]] std::int64_t* make_room() { return m_size <= few ? m_few : (m_many = new std::int64_t[m_size]); }

  void swap(shape& other) noexcept {
    trivial_swap(m_size, other.m_size);
    std::int64_t mine[few];
    std::memcpy(mine, m_few, sizeof mine);
    std::memcpy(m_few, other.m_few, sizeof mine);
    std::memcpy(other.m_few, mine, sizeof mine);
  }

  std::size_t m_size = 0;
  union {
    std::int64_t m_few[few] = {};  // always initialized: swap moves it whole
    std::int64_t* m_many;
  };
};

/// The number of elements, or nothing where an extent is negative or the product passes 2^63 - 1 (leaving the zeros
/// out, so that the strides of an empty tensor cannot pass it either).
[[nodiscard]] constexpr std::optional<std::uint64_t> element_count(sequence<std::int64_t> extents) noexcept {
  std::uint64_t product = 1;
  bool empty = false;
  for (const std::int64_t extent : extents) {
    if (extent < 0) return std::nullopt;
    if (extent == 0) {
      empty = true;
      continue;
    }
    const std::optional<std::uint64_t> next = checked_mul(product, static_cast<std::uint64_t>(extent));
    if (!next || *next >> 63 != 0) return std::nullopt;
    product = *next;
  }
  return empty ? 0 : product;
}

/// `[2,3]`, as error messages and listings show it; of very many axes the first.
[[nodiscard]] inline std::string to_string(sequence<std::int64_t> extents) {
  constexpr std::size_t most = 64;
  std::string text = "[";
  for (const std::int64_t extent : extents.first(extents.size() < most ? extents.size() : most)) {
    if (text.size() > 1) text += ',';
    text += std::to_string(extent);
  }
  return text += extents.size() > most ? ",...]" : "]";
}

}  // namespace ckpt

#endif
