#ifndef CKPT_TENSOR_TENSOR_TRAITS_HPP
#define CKPT_TENSOR_TENSOR_TRAITS_HPP

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <type_traits>

#include <ckpt/core/sequence.hpp>
#include <ckpt/core/trivial_vector.hpp>
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
///
/// To be filled by load_into it needs another, which returns where the first element of that view can be written to:
///
///       static void* writable(my::matrix& m) { return m.values().data(); }
template <class T>
struct tensor_traits {};

template <>
struct tensor_traits<tensor_view> {
  static const tensor_view& view(const tensor_view& value) noexcept { return value; }
};

template <>
struct tensor_traits<tensor> {
  static tensor_view view(const tensor& value) { return value; }
  static void* writable(tensor& value) noexcept { return value.bytes().data(); }
};

namespace detail {

// The extents of a type that keeps its elements as a plain range.
template <class T>
concept with_shape_function = requires(const T& value) {
  { *std::begin(value.shape()) } -> std::convertible_to<std::int64_t>;
};
template <class T>
concept with_shape_member = !with_shape_function<T> && requires(const T& value) {
  { *std::begin(value.shape) } -> std::convertible_to<std::int64_t>;
};
template <class T>
concept with_shape = with_shape_function<T> || with_shape_member<T>;

/// What `value` says its extents are.
template <with_shape T>
[[nodiscard]] trivial_vector<std::int64_t> extents_of(const T& value) {
  trivial_vector<std::int64_t> extents;
  const auto fill = [&](const auto& shape) {
    for (const auto extent : shape) extents.push_back(static_cast<std::int64_t>(extent));
  };
  if constexpr (with_shape_function<T>) fill(value.shape());
  else fill(value.shape);
  return extents;
}

}  // namespace detail

/// Contiguous ranges of scalars: one axis, or the axes that its shape() or shape has.
template <scalar_range T>
struct tensor_traits<T> {
  static tensor_view view(const T& range) {
    using element = std::remove_cvref_t<decltype(*std::data(range))>;
    const std::span<const element> values(std::data(range), std::size(range));
    if constexpr (detail::with_shape<T>) return {values, ckpt::shape(detail::extents_of(range))};
    else return {values, {static_cast<std::int64_t>(values.size())}};
  }

  template <class Range>
    requires std::same_as<std::remove_cv_t<Range>, T>
  static auto writable(Range& range) {
    return std::data(range);
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

  static void* writable(T (&array)[Rows][Columns]) noexcept { return &array; }

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
