#ifndef CKPT_TENSOR_TENSOR_VIEW_HPP
#define CKPT_TENSOR_TENSOR_VIEW_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <ckpt/core/byte_span.hpp>
#include <ckpt/core/checked.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/tensor/dtype.hpp>
#include <ckpt/tensor/shape.hpp>

namespace ckpt {

/// The bytes that a tensor of this dtype and shape takes, row-major and packed, or nothing where the shape is not one
/// (see element_count), where that passes 2^63 - 1, or where elements of 4 or 6 bits end inside a byte.
[[nodiscard]] constexpr std::optional<std::uint64_t> content_size(dtype type, sequence<std::int64_t> extents) noexcept {
  const std::optional<std::uint64_t> count = element_count(extents);
  if (!count) return std::nullopt;
  const std::uint64_t bits = info(type).bits;
  const bool are_bytes = bits % 8 == 0;
  const std::optional<std::uint64_t> product = checked_mul(*count, are_bytes ? bits / 8 : bits);
  if (!product) return std::nullopt;
  const std::uint64_t size = are_bytes ? *product : *product / 8;
  if (size >> 63 != 0 || (!are_bytes && *product % 8 != 0)) return std::nullopt;
  return size;
}

/// Elements that lie somewhere else: dtype, shape, and either packed row-major bytes or a first element and strides.
/// Borrows; whoever owns the elements keeps them alive and unchanged while the view is used.
class tensor_view {
 public:
  /// Packed row-major bytes, little-endian, of any alignment. Throws usage_error where their number is not what dtype
  /// and shape take. The bytes themselves are not looked at, here or by a save: a bool that is neither 0 nor 1 is saved
  /// so, and refused by whoever reads it as one.
  tensor_view(dtype type, ckpt::shape extents, sequence<std::byte> bytes)
      : m_shape(std::move(extents)), m_first(bytes.data()), m_size(checked_size(type, m_shape)), m_type(type) {
    if (m_size != bytes.size()) refuse_size(bytes.size());
  }

  /// Packed row-major values. Throws as above.
  template <scalar T, std::size_t Extent>
  tensor_view(std::span<T, Extent> values, ckpt::shape extents)
      : tensor_view(dtype_of<T>, std::move(extents), std::as_bytes(values)) {}

  /// `first` is the element at index 0 of every axis; strides count elements from one index to the next along an axis
  /// and may be 0 or negative. Throws usage_error where the ranks differ or an element is not whole bytes.
  [[nodiscard]] static tensor_view strided(dtype type, ckpt::shape extents, const void* first, ckpt::shape strides) {
    if (extents.size() != strides.size() || info(type).bits % 8 != 0)
      throw usage_error(errc::invalid_argument, {},
                        info(type).bits % 8 != 0
                            ? "elements of 4 or 6 bits cannot be strided: pack them first"
                            : concat({"a strided tensor needs one stride per axis: shape ",
                                      to_string(extents.extents()), ", strides ", to_string(strides.extents())}));
    tensor_view view(first, type, std::move(extents));
    if (!view.packed_by(strides)) view.m_strides = std::move(strides);
    return view;
  }

  [[nodiscard]] dtype type() const noexcept { return m_type; }
  [[nodiscard]] const ckpt::shape& shape() const noexcept { return m_shape; }
  [[nodiscard]] std::uint64_t size_bytes() const noexcept { return m_size; }
  [[nodiscard]] bool is_contiguous() const noexcept { return m_strides.empty(); }

  /// The packed bytes. Throws mismatch_error where the elements are strided.
  [[nodiscard]] sequence<std::byte> bytes() const {
    if (!is_contiguous())
      throw mismatch_error(errc::not_contiguous, {}, "a strided tensor has no packed bytes: copy it out with copy_to");
    return {m_first, static_cast<std::size_t>(m_size)};
  }

  /// Fills `to` with the bytes [offset, offset + to.size()) of the packed row-major content; that range must lie within
  /// size_bytes(). Allocates nothing.
  void copy_to(std::uint64_t offset, byte_span to) const noexcept {
    std::byte* out = to.data();
    std::size_t left = to.size();
    if (left == 0) return;
    if (is_contiguous()) {
      std::memcpy(out, m_first + offset, left);
      return;
    }
    const std::size_t width = info(m_type).bits / 8u;
    const auto advance = [&](std::size_t size) {
      offset += size;
      out += size;
      left -= size;
    };
    const auto cut = [&] {  // an element of which not all bytes are asked for
      const auto begin = static_cast<std::size_t>(offset % width);
      const std::size_t size = width - begin < left ? width - begin : left;
      std::byte element[widest];
      copy_elements(offset / width, &element[0], 1, width);
      std::memcpy(out, &element[begin], size);
      advance(size);
    };
    if (offset % width != 0) cut();
    const std::size_t whole = left / width;
    copy_elements(offset / width, out, whole, width);
    advance(whole * width);
    if (left > 0) cut();
  }

  /// The reverse of copy_to, of the whole content: writes `packed`, of size_bytes(), to memory that is laid out as this
  /// view is, from the first element on. Allocates nothing.
  void scatter(const std::byte* packed, std::byte* first) const noexcept {
    if (m_size == 0) return;
    if (is_contiguous()) {
      std::memcpy(first, packed, static_cast<std::size_t>(m_size));
      return;
    }
    const std::size_t width = info(m_type).bits / 8u;
    const std::int64_t step = m_strides[m_shape.size() - 1] * static_cast<std::int64_t>(width);
    for_each_run(0, m_size / width, [&](std::int64_t at, std::uint64_t run) {
      std::byte* to = first + at * static_cast<std::int64_t>(width);
      for (; run > 0; --run, to += step, packed += width) std::memcpy(to, packed, width);
    });
  }

 private:
  // The order of the parameters keeps `{}` for no bytes from meaning this one.
  tensor_view(const void* first, dtype type, ckpt::shape extents)
      : m_shape(std::move(extents)),
        m_first(static_cast<const std::byte*>(first)),
        m_size(checked_size(type, m_shape)),
        m_type(type) {}

  static std::uint64_t checked_size(dtype type, const ckpt::shape& extents) {
    const std::optional<std::uint64_t> size = content_size(type, extents.extents());
    if (!size)
      throw usage_error(errc::invalid_argument, {},
                        concat({name(type), to_string(extents.extents()),
                                " is not a tensor: an extent is negative, the size passes 2^63 bytes, or its elements "
                                "end inside a byte"}));
    return *size;
  }

  [[noreturn]] void refuse_size(std::uint64_t found) const {
    throw usage_error(errc::shape_mismatch, {.expected = std::to_string(m_size), .found = std::to_string(found)},
                      concat({name(m_type), to_string(m_shape.extents()), " takes ", std::to_string(m_size),
                              " bytes, not ", std::to_string(found)}));
  }

  [[nodiscard]] bool packed_by(const ckpt::shape& strides) const noexcept {
    std::int64_t expected = 1;
    for (std::size_t axis = m_shape.size(); axis-- > 0;) {
      if (m_shape[axis] != 1 && strides[axis] != expected) return m_size == 0;
      expected *= m_shape[axis];
    }
    return true;
  }

  /// Copies `count` whole elements from number `element` on.
  void copy_elements(std::uint64_t element, std::byte* to, std::uint64_t count, std::size_t width) const noexcept {
    for_each_run(element, count, [&](std::int64_t at, std::uint64_t run) {
      copy_run(to, m_first + at * static_cast<std::int64_t>(width), run, width, m_strides[m_shape.size() - 1]);
      to += run * width;
    });
  }

  /// Calls `use(at, run)` for the parts of rows that are the `count` elements from number `element` on: the first one
  /// lies `at` elements from that of the view.
  template <class Use>
  void for_each_run(std::uint64_t element, std::uint64_t count, const Use& use) const noexcept {
    const std::size_t last = m_shape.size() - 1;
    const auto row = static_cast<std::uint64_t>(m_shape[last]);
    while (count > 0) {
      std::uint64_t outer = element / row;
      std::int64_t at = static_cast<std::int64_t>(element % row) * m_strides[last];
      std::uint64_t run = row - element % row;
      if (run > count) run = count;
      for (std::size_t axis = last; axis-- > 0;) {
        const auto extent = static_cast<std::uint64_t>(m_shape[axis]);
        at += static_cast<std::int64_t>(outer % extent) * m_strides[axis];
        outer /= extent;
      }
      use(at, run);
      element += run;
      count -= run;
    }
  }

  template <std::size_t Width>
  static void copy_each(std::byte* to, const std::byte* from, std::uint64_t count, std::int64_t step) noexcept {
    for (std::uint64_t i = 0; i < count; ++i, to += Width, from += step) std::memcpy(to, from, Width);
  }

  static void copy_run(std::byte* to, const std::byte* from, std::uint64_t count, std::size_t width,
                       std::int64_t stride) noexcept {
    const std::int64_t step = stride * static_cast<std::int64_t>(width);
    if (stride == 1) {
      std::memcpy(to, from, count * width);
      return;
    }
    switch (width) {
      case 1: return copy_each<1>(to, from, count, step);
      case 2: return copy_each<2>(to, from, count, step);
      case 4: return copy_each<4>(to, from, count, step);
      case 8: return copy_each<8>(to, from, count, step);
      default: return copy_each<16>(to, from, count, step);
    }
  }

  static constexpr std::size_t widest = 16;  // bytes of the widest element, complex128

  ckpt::shape m_shape;
  ckpt::shape m_strides;  // empty: packed
  const std::byte* m_first;
  std::uint64_t m_size;
  dtype m_type;
};

}  // namespace ckpt

#endif
