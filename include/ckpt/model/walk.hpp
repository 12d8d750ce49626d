#ifndef CKPT_MODEL_WALK_HPP
#define CKPT_MODEL_WALK_HPP

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/model/concepts.hpp>
#include <ckpt/tensor/dtype.hpp>
#include <ckpt/tensor/shape.hpp>
#include <ckpt/tensor/tensor_traits.hpp>
#include <ckpt/tensor/tensor_view.hpp>

namespace ckpt {

namespace detail {

// A taker is told the values of a save object, one after the other:
//
//   label()            what errors call the file
//   wants(name)        whether it takes this name at all
//   take(name, value)  a savable, as the object hands it out: an rvalue goes away after the call
//   hold(temporary)    keeps what the next values lie in for as long as it needs them, and returns it where it stays
//   hold_result(make)  the same of what a call returns

/// Calls `use(view)` with the view of a tensor. Of one that cannot be made, what is thrown says which it is.
template <tensor_like T, class Use>
void with_view(const std::string& label, std::string_view name, const T& value, const Use& use) {
  try {
    const tensor_view& view = tensor_traits<T>::view(value);
    use(view);
  } catch (const usage_error& problem) {
    if (!problem.path().empty()) throw;  // a view that cannot be made knows nothing of names
    throw usage_error(
        problem.code(),
        {.path = label, .name = std::string(name), .expected = problem.expected(), .found = problem.found()},
        problem.text());
  }
}

/// The view of data beside which `extents` are said: they are its shape where it has none but that of a list. Throws
/// usage_error where they take another number of bytes.
[[nodiscard]] inline tensor_view shaped(const std::string& label, std::string_view name, const tensor_view& data,
                                        sequence<std::int64_t> extents) {
  if (content_size(data.type(), extents) != data.size_bytes())
    throw usage_error(errc::shape_mismatch,
                      {.path = label,
                       .name = std::string(name),
                       .expected = to_string(extents),
                       .found = to_string(data.shape().extents())},
                      concat({"its shape is ", to_string(extents), ", its data ", to_string(data.shape().extents()),
                              " of ", ckpt::name(data.type())}));
  if (data.is_contiguous() && data.shape().size() == 1) return {data.type(), shape(extents), data.bytes()};
  return data;
}

template <class T>
decltype(auto) name_of(const T& parameter) {
  if constexpr (pointer_like<T>) return detail::name_of(*parameter);
  else if constexpr (with_name_function<T>) return parameter.name();
  else return (parameter.name);
}

template <class Taker, class Element>
void walk_element(Taker& to, Element&& element) {
  if constexpr (parameter_like<Element>) {
    if constexpr (pointer_like<std::remove_cvref_t<Element>>) {
      if (element == nullptr)
        throw usage_error(errc::invalid_argument, {.path = to.label()}, "a pointer in the parameter list is null");
    }
    const auto& name = detail::name_of(element);
    // Of an element that goes away the name goes first: hold() moves both.
    const std::conditional_t<std::is_lvalue_reference_v<Element>, std::string_view, std::string> named(name);
    if (to.wants(named)) to.take(named, std::forward<Element>(element));
  } else {
    const std::string_view named(element.first);
    if (to.wants(named)) to.take(named, std::forward<Element>(element).second);
  }
}

/// An element as a taker may borrow it: that of a range which keeps none is copied.
template <class Range, class Element>
decltype(auto) lasting(Element&& element) {
  constexpr bool is_kept = !single_pass_range<Range> || !std::is_lvalue_reference_v<Element>;
  constexpr bool is_copyable = std::copy_constructible<std::remove_cvref_t<Element>>;
  static_assert(is_kept || is_copyable,
                "ckpt: this range can be walked only once and keeps no element, and its elements cannot be copied: "
                "put them into a container first");
  if constexpr (!is_kept && is_copyable) return std::remove_cvref_t<Element>(element);
  else return std::forward<Element>(element);
}

template <class Taker, class Range>
void walk_range(Taker& to, Range& range) {
  for (auto&& element : range)
    detail::walk_element(to, detail::lasting<Range>(std::forward<decltype(element)>(element)));
}

template <class Taker, class Cell>
void walk_cell(Taker& to, std::string& prefix, Cell& cell);

/// Gives each member its name below `prefix`, and walks into nested cells.
template <class Taker>
class cell_visitor {
 public:
  cell_visitor(Taker& to, std::string& prefix) noexcept : m_to(to), m_prefix(prefix) {}

  template <class Member>
  void operator()(std::string_view name, Member&& member) const {
    if constexpr (savable<Member> || std::is_lvalue_reference_v<Member>)
      walk_member(name, std::forward<Member>(member));
    else walk_member(name, m_to.hold(std::forward<Member>(member)));  // a cell or list: what is in it is borrowed
  }

 private:
  template <class Member>
  void walk_member(std::string_view name, Member&& member) const {
    const std::size_t outer = m_prefix.size();
    m_prefix.append(name);
    if constexpr (savable<Member>) {
      if (m_to.wants(m_prefix)) m_to.take(m_prefix, std::forward<Member>(member));
    } else if constexpr (cell_like<Member>) {
      m_prefix += '.';
      detail::walk_cell(m_to, m_prefix, member);
    } else if constexpr (pointer_to_cell<Member>) {
      m_prefix += '.';
      if (member != nullptr)
        detail::walk_cell(m_to, m_prefix, *member);  // a network without that part has no parameters of it
    } else if constexpr (range<std::remove_reference_t<Member>>) {
      walk_list(member);
    } else {
      static_assert(savable<Member>,
                    "ckpt: visit_parameters names a member that is neither a tensor, a string, a parameter nor a "
                    "cell; specialize ckpt::tensor_traits for its type");
    }
    m_prefix.resize(outer);
  }

  template <class List>
  void walk_list(List& list) const {
    if constexpr (cell_like<element_of<List>> || pointer_to_cell<element_of<List>> || savable<element_of<List>>) {
      std::size_t number = 0;
      m_prefix += '.';
      for (auto&& element : list)
        (*this)(std::to_string(number++), detail::lasting<List>(std::forward<decltype(element)>(element)));
    } else {
      static_assert(savable<element_of<List>>,
                    "ckpt: visit_parameters names a list whose elements are neither tensors, parameters nor cells");
    }
  }

  Taker& m_to;
  std::string& m_prefix;
};

template <class Taker, class Cell>
void walk_cell(Taker& to, std::string& prefix, Cell& cell) {
  if constexpr (visitable_cell<Cell>) {
    cell_visitor<Taker> visitor(to, prefix);
    cell.visit_parameters(visitor);
  } else {
    using listing = decltype(cell.parameters_and_names());
    const std::size_t outer = prefix.size();
    const auto walk_all = [&](auto& range) {
      for (auto&& element : range) {
        auto&& lasts = detail::lasting<decltype(range)>(std::forward<decltype(element)>(element));
        prefix.append(std::string_view(lasts.first));
        if (to.wants(prefix)) to.take(prefix, std::forward<decltype(lasts)>(lasts).second);
        prefix.resize(outer);
      }
    };
    if constexpr (std::is_lvalue_reference_v<listing>) {
      walk_all(cell.parameters_and_names());
    } else if constexpr (std::is_lvalue_reference_v<element_of<listing>>) {
      auto&& range = to.hold_result([&]() -> listing { return cell.parameters_and_names(); });
      walk_all(range);  // its elements are borrowed
    } else {
      listing range = cell.parameters_and_names();
      walk_all(range);
    }
  }
}

}  // namespace detail

/// Walks a save object other than a state_dict once, in its order. Throws usage_error on a null pointer, and what the
/// taker throws.
template <class Taker, save_object Object>
void walk(Taker& to, Object& object) {
  if constexpr (cell_like<Object>) {
    std::string prefix;
    detail::walk_cell(to, prefix, object);
  } else {
    detail::walk_range(to, object);
  }
}

}  // namespace ckpt

#endif
