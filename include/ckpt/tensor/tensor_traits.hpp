#ifndef CKPT_TENSOR_TENSOR_TRAITS_HPP
#define CKPT_TENSOR_TENSOR_TRAITS_HPP

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <type_traits>

#include <ckpt/core/sequence.hpp>
#include <ckpt/tensor/dtype.hpp>
#include <ckpt/tensor/shape.hpp>
#include <ckpt/tensor/tensor.hpp>
#include <ckpt/tensor/tensor_view.hpp>

namespace ckpt {

/// How a type is seen as a tensor. Specialize it for your own with one function:
///
///     template <> struct ckpt::tensor_traits<my::matrix> {
///       static ckpt::tensor_view view(const my::matrix& m) { return {std::span(m.values()), {m.rows(), m.columns()}};
///       }
///     };
template <class T>
struct tensor_traits {};

template <>
struct tensor_traits<tensor_view> {
  static const tensor_view& view(const tensor_view& value) noexcept { return value; }
};

template <>
struct tensor_traits<tensor> {
  static tensor_view view(const tensor& value) { return value; }
};

/// Contiguous ranges of scalars: one axis.
template <scalar_range T>
struct tensor_traits<T> {
  static tensor_view view(const T& range) {
    using element = std::remove_cvref_t<decltype(*std::data(range))>;
    const std::span<const element> values(std::data(range), std::size(range));
    return {values, {static_cast<std::int64_t>(values.size())}};
  }
};

/// Arrays of arrays of scalars: one axis for each.
template <class T, std::size_t Rows, std::size_t Columns>
  requires scalar<std::remove_all_extents_t<T>>
struct tensor_traits<T[Rows][Columns]> {
  static tensor_view view(const T (&array)[Rows][Columns]) {
    using element = std::remove_all_extents_t<T>;
    std::int64_t extents[std::rank_v<T[Rows][Columns]>];
    fill<T[Rows][Columns]>(extents);
    return {dtype_of<element>, ckpt::shape(sequence<std::int64_t>(extents, std::rank_v<T[Rows][Columns]>)),
            std::as_bytes(std::span(array))};
  }

 private:
  template <class Array>
  static void fill(std::int64_t* extents) {
    if constexpr (std::is_array_v<Array>) {
      *extents = static_cast<std::int64_t>(std::extent_v<Array>);
      fill<std::remove_extent_t<Array>>(extents + 1);
    }
  }
};

/// Anything that tensor_traits can view: tensor, tensor_view, contiguous ranges and arrays of scalars, and whatever a
/// program adds.
template <class T>
concept tensor_like = requires(const std::remove_cvref_t<T>& value) {
  { tensor_traits<std::remove_cvref_t<T>>::view(value) } -> std::convertible_to<const tensor_view&>;
};

}  // namespace ckpt

#endif
