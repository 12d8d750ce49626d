#ifndef CKPT_MODEL_CONCEPTS_HPP
#define CKPT_MODEL_CONCEPTS_HPP

#include <concepts>
#include <iterator>
#include <string_view>
#include <type_traits>
#include <utility>

#include <ckpt/model/state_dict.hpp>
#include <ckpt/tensor/tensor_traits.hpp>

namespace ckpt {

// What can be saved. A save object is one of the last three, and each is made of the ones above it.
//
// clang-format off
//   text             converts to std::string_view
//   savable          text; tensor_like; an object with data() or data that is savable, and with a name or with
//                    extents in shape() or shape; a variant of, or a pointer to, these
//   parameter_like   has name() or name, text, and is savable
//   named_value      has first, text, and second, savable: what maps and lists of pairs hold
//   parameter_range  a range of parameters or of pointers to them
//   tensor_map       a range of named_values (std::map, std::unordered_map, vectors of pairs); or a state_dict
//   cell_like        has parameters_and_names() returning a tensor_map, or visit_parameters(visitor) calling
//                    visitor(name, member) for members that are savable, cells, pointers to cells or ranges of these
// clang-format on

template <class T>
concept text = std::convertible_to<const std::remove_cvref_t<T>&, std::string_view> &&
               !std::same_as<std::remove_cvref_t<T>, std::nullptr_t>;

namespace detail {

template <class T>
concept with_name_function = requires(const T& value) {
  { value.name() } -> text;
};
template <class T>
concept with_name_member = !with_name_function<T> && requires(const T& value) {
  { value.name } -> text;
};

template <class T>
concept range = requires(T& object) {
  std::begin(object) != std::end(object);
  *std::begin(object);
};

// Whose elements may be gone, or others, when the next one is looked at: views::join of temporaries, views::istream,
// generators. They are copied. Iterators of the old style are taken to have elements that stay, whatever their
// category.
template <class T, class Iterator = decltype(std::begin(std::declval<std::remove_reference_t<T>&>()))>
concept single_pass_range = std::input_iterator<Iterator> && !std::forward_iterator<Iterator> &&
                            !requires { typename Iterator::iterator_category; };

// A container's data() is its first element, not its data.
template <class T>
concept container = range<T> && requires(T& value) { requires std::is_pointer_v<decltype(value.data())>; };

template <class T>
concept with_data_function = !container<T> && requires(T& value) { value.data(); };
template <class T>
concept with_data_member = !with_data_function<T> && requires(T& value) { value.data; };

/// Stands in for the visitor, to ask whether a type takes one.
struct any_visitor {
  template <class Member>
  void operator()(std::string_view, Member&&) const {}
};

template <class T>
concept visitable_cell =
    requires(std::remove_reference_t<T>& cell, any_visitor& visitor) { cell.visit_parameters(visitor); };

// A cell is walked, whatever else it has: its data() or data is one parameter among others.
template <class T>
concept offers_parameters =
    visitable_cell<T> || requires(std::remove_reference_t<T>& cell) { cell.parameters_and_names(); };

template <class T>
concept pointer_like = !text<T> && !tensor_like<T> && !std::is_array_v<T> && requires(const T& pointer) {
  *pointer;
  static_cast<bool>(pointer == nullptr);
  requires !requires { pointer.has_value(); };  // an optional pointer, which is no pointer where it is empty
};

template <class T>
concept variant_like = requires(const T& value) {
  { value.valueless_by_exception() } -> std::same_as<bool>;
  { value.index() } -> std::integral;
};

// What says with a name or extents that its data is all of it.
template <class T>
concept is_described = !offers_parameters<T> && (with_shape<T> || with_name_function<T> || with_name_member<T>);

template <class T>
constexpr bool is_savable() noexcept;

template <bool IsConst, template <class...> class Variant, class... Alternatives>
constexpr bool all_savable(const Variant<Alternatives...>*) noexcept {
  return (is_savable<std::conditional_t<IsConst, const Alternatives, Alternatives>>() && ...);
}

template <class T, class Data>
constexpr bool is_data() noexcept {
  if constexpr (std::same_as<std::remove_cvref_t<Data>, T>) return false;  // some tensors return themselves
  else if constexpr (with_shape<T>) return tensor_like<Data>;
  else return is_savable<Data>();
}

template <class T>
constexpr bool is_savable() noexcept {
  using value = std::remove_cvref_t<T>;
  if constexpr (text<value> || tensor_like<value> || std::same_as<value, state_value>) return true;
  else if constexpr (variant_like<value>)
    return all_savable<std::is_const_v<std::remove_reference_t<T>>>(static_cast<const value*>(nullptr));
  else if constexpr (pointer_like<value>) return is_savable<decltype(*std::declval<const value&>())>();
  else if constexpr (is_described<value> && with_data_function<std::remove_reference_t<T>>)
    return is_data<value, decltype(std::declval<std::remove_reference_t<T>&>().data())>();
  else if constexpr (is_described<value> && with_data_member<std::remove_reference_t<T>>)
    return is_data<value, decltype((std::declval<std::remove_reference_t<T>&>().data))>();
  else return false;
}

template <class T>
constexpr bool is_parameter() noexcept {
  using value = std::remove_cvref_t<T>;
  if constexpr (pointer_like<value>) return is_parameter<decltype(*std::declval<const value&>())>();
  else return (with_name_function<value> || with_name_member<value>) && is_savable<T>();
}

}  // namespace detail

/// A value that can stand behind a name.
template <class T>
concept savable = detail::is_savable<T>();

/// An object that knows its name and its elements.
template <class T>
concept parameter_like = detail::is_parameter<T>();

template <class T>
concept named_value = requires(std::remove_reference_t<T>& value) {
  { value.first } -> text;
  requires savable<decltype((value.second))>;
};

namespace detail {

template <class T>
using element_of = decltype(*std::begin(std::declval<std::remove_reference_t<T>&>()));

}  // namespace detail

template <class T>
concept parameter_range = detail::range<T> && parameter_like<detail::element_of<T>>;

template <class T>
concept tensor_map =
    std::same_as<std::remove_cvref_t<T>, state_dict> || (detail::range<T> && named_value<detail::element_of<T>>);

namespace detail {

template <class T>
concept listing_cell = !visitable_cell<T> && requires(std::remove_reference_t<T>& cell) {
  { cell.parameters_and_names() } -> tensor_map;
};

}  // namespace detail

template <class T>
concept cell_like = detail::visitable_cell<T> || detail::listing_cell<T>;

namespace detail {

/// A plain or smart pointer to a cell, as members of a network and elements of its lists often are.
template <class T>
concept pointer_to_cell = pointer_like<std::remove_cvref_t<T>> && cell_like<decltype(*std::declval<T&>())>;

}  // namespace detail

/// What save() takes.
template <class T>
concept save_object = cell_like<T> || parameter_range<T> || tensor_map<T>;

}  // namespace ckpt

#endif
