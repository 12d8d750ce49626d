#ifndef CKPT_MODEL_COLLECT_HPP
#define CKPT_MODEL_COLLECT_HPP

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/trivial_vector.hpp>
#include <ckpt/model/concepts.hpp>
#include <ckpt/model/entries.hpp>
#include <ckpt/model/state_dict.hpp>
#include <ckpt/tensor/tensor_traits.hpp>

namespace ckpt {

namespace detail {

inline void add_state_value(entries& to, std::string_view name, const state_value& value) {
  if (value.kind() == entry_kind::string) {
    to.add_string(name, to.hold(value.text()));
    return;
  }
  trivial_vector<segment> pieces;
  for (std::size_t number = 0; number < value.piece_count(); ++number) pieces.push_back(value.piece(number));
  to.add_pieces(name, value.kind(), value.type(), value.shape(), pieces);
}

/// Adds the data of `value` in the shape that it says.
template <class T>
void add_shaped(entries& to, std::string_view name, T& value) {
  const trivial_vector<std::int64_t> extents = extents_of(value);
  const auto add = [&](const auto& data) {
    const tensor_view& flat = tensor_traits<std::remove_cvref_t<decltype(data)>>::view(data);
    if (content_size(flat.type(), extents) != flat.size_bytes())
      throw usage_error(errc::shape_mismatch,
                        {.path = to.label(),
                         .name = std::string(name),
                         .expected = to_string(extents),
                         .found = to_string(flat.shape().extents())},
                        concat({"its shape is ", to_string(extents), ", its data ", to_string(flat.shape().extents()),
                                " of ", ckpt::name(flat.type())}));
    if (flat.is_contiguous() && flat.shape().size() == 1)  // a plain range: the shape is beside it
      to.add_tensor(name, tensor_view(flat.type(), shape(extents), flat.bytes()));
    else to.add_tensor(name, flat);  // a tensor, which knows its shape
  };
  if constexpr (with_data_function<T>) {
    auto&& data = value.data();
    if constexpr (std::is_lvalue_reference_v<decltype(value.data())>) add(data);
    else add(to.hold(std::move(data)));
  } else {
    add(value.data);
  }
}

/// Adds `value` as it stands; of an rvalue, the entries keep what must outlive the call.
template <class T>
void add_value(entries& to, std::string_view name, T&& value) {
  using plain = std::remove_cvref_t<T>;
  constexpr bool temporary = !std::is_lvalue_reference_v<T>;
  if constexpr (std::same_as<plain, state_value>) {
    add_state_value(to, name, value);
  } else if constexpr (temporary && !std::same_as<plain, tensor_view> && !variant_like<plain>) {
    add_value(to, name, to.hold(std::forward<T>(value)));
  } else if constexpr (text<plain>) {
    to.add_string(name, std::string_view(value));
  } else if constexpr (tensor_like<plain>) {
    try {
      const tensor_view& view = tensor_traits<plain>::view(value);
      to.add_tensor(name, view);
    } catch (const usage_error& problem) {
      if (!problem.path().empty()) throw;  // of a view that cannot be made: it knows nothing of names
      throw usage_error(
          problem.code(),
          {.path = to.label(), .name = std::string(name), .expected = problem.expected(), .found = problem.found()},
          problem.text());
    }
  } else if constexpr (variant_like<plain>) {
    visit([&](auto&& alternative) { add_value(to, name, std::forward<decltype(alternative)>(alternative)); },
          std::forward<T>(value));
  } else if constexpr (pointer_like<plain>) {
    if (value == nullptr)
      throw usage_error(errc::invalid_argument, {.path = to.label(), .name = std::string(name)},
                        "the pointer to it is null");
    add_value(to, name, *value);
  } else if constexpr (with_shape<plain>) {
    add_shaped(to, name, value);
  } else if constexpr (with_data_function<plain>) {
    add_value(to, name, value.data());
  } else {
    add_value(to, name, value.data);
  }
}

template <class T>
decltype(auto) name_of(const T& parameter) {
  if constexpr (pointer_like<T>) return name_of(*parameter);
  else if constexpr (with_name_function<T>) return parameter.name();
  else return (parameter.name);
}

template <class Element>
void add_element(entries& to, Element&& element) {
  if constexpr (parameter_like<Element>) {
    if constexpr (pointer_like<std::remove_cvref_t<Element>>) {
      if (element == nullptr)
        throw usage_error(errc::invalid_argument, {.path = to.label()}, "a pointer in the parameter list is null");
    }
    const auto& name = name_of(element);
    // Of an element that goes away the name goes first: hold() moves both.
    const std::conditional_t<std::is_lvalue_reference_v<Element>, std::string_view, std::string> named(name);
    if (to.wants(named)) add_value(to, named, std::forward<Element>(element));
  } else {
    const std::string_view named(element.first);
    if (to.wants(named)) add_value(to, named, std::forward<Element>(element).second);
  }
}

/// An element as the entries may borrow it: that of a range which keeps none is copied.
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

template <class Range>
void add_range(entries& to, Range& range) {
  for (auto&& element : range) add_element(to, lasting<Range>(std::forward<decltype(element)>(element)));
}

template <class Cell>
void add_cell(entries& to, std::string& prefix, Cell& cell);

/// Gives each member its name below `prefix`, and walks into nested cells.
class cell_visitor {
 public:
  cell_visitor(entries& to, std::string& prefix) noexcept : m_to(to), m_prefix(prefix) {}

  template <class Member>
  void operator()(std::string_view name, Member&& member) const {
    if constexpr (savable<Member> || std::is_lvalue_reference_v<Member>) add_member(name, std::forward<Member>(member));
    else add_member(name, m_to.hold(std::forward<Member>(member)));  // a cell or list: what is in it is borrowed
  }

 private:
  template <class Member>
  void add_member(std::string_view name, Member&& member) const {
    const std::size_t outer = m_prefix.size();
    m_prefix.append(name);
    if constexpr (savable<Member>) {
      if (m_to.wants(m_prefix)) add_value(m_to, m_prefix, std::forward<Member>(member));
    } else if constexpr (cell_like<Member>) {
      m_prefix += '.';
      add_cell(m_to, m_prefix, member);
    } else if constexpr (pointer_to_cell<Member>) {
      m_prefix += '.';
      if (member != nullptr) add_cell(m_to, m_prefix, *member);  // a network without that part has no parameters of it
    } else if constexpr (range<std::remove_reference_t<Member>>) {
      add_list(member);
    } else {
      static_assert(savable<Member>,
                    "ckpt: visit_parameters names a member that is neither a tensor, a string, a parameter nor a "
                    "cell; specialize ckpt::tensor_traits for its type");
    }
    m_prefix.resize(outer);
  }

  template <class List>
  void add_list(List& list) const {
    if constexpr (cell_like<element_of<List>> || pointer_to_cell<element_of<List>> || savable<element_of<List>>) {
      std::size_t number = 0;
      m_prefix += '.';
      for (auto&& element : list)
        (*this)(std::to_string(number++), lasting<List>(std::forward<decltype(element)>(element)));
    } else {
      static_assert(savable<element_of<List>>,
                    "ckpt: visit_parameters names a list whose elements are neither tensors, parameters nor cells");
    }
  }

  entries& m_to;
  std::string& m_prefix;
};

template <class Cell>
void add_cell(entries& to, std::string& prefix, Cell& cell) {
  if constexpr (visitable_cell<Cell>) {
    cell_visitor visitor(to, prefix);
    cell.visit_parameters(visitor);
  } else {
    using listing = decltype(cell.parameters_and_names());
    const std::size_t outer = prefix.size();
    const auto add_all = [&](auto& range) {
      for (auto&& element : range) {
        auto&& lasts = lasting<decltype(range)>(std::forward<decltype(element)>(element));
        prefix.append(std::string_view(lasts.first));
        if (to.wants(prefix)) add_value(to, prefix, std::forward<decltype(lasts)>(lasts).second);
        prefix.resize(outer);
      }
    };
    if constexpr (std::is_lvalue_reference_v<listing>) {
      add_all(cell.parameters_and_names());
    } else if constexpr (std::is_lvalue_reference_v<element_of<listing>>) {
      add_all(to.hold_result(
          [&]() -> listing { return cell.parameters_and_names(); }));  // its elements are what the entries borrow
    } else {
      listing range = cell.parameters_and_names();
      add_all(range);
    }
  }
}

}  // namespace detail

/// Walks a save object once, in its order, and adds what `to` wants of it. Throws usage_error on a name given twice, a
/// null pointer, or a tensor whose own description is not consistent.
template <save_object Object>
void collect(entries& to, Object& object) {
  if constexpr (std::same_as<std::remove_cv_t<Object>, state_dict>) {
    to.set_metadata(object.metadata());
    for (const auto& [name, value] : object)
      if (to.wants(name)) detail::add_state_value(to, name, value);
  } else if constexpr (cell_like<Object>) {
    std::string prefix;
    detail::add_cell(to, prefix, object);
  } else {
    detail::add_range(to, object);
  }
}

}  // namespace ckpt

#endif
