#ifndef CKPT_MODEL_COLLECT_HPP
#define CKPT_MODEL_COLLECT_HPP

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <ckpt/core/error.hpp>
#include <ckpt/core/trivial_vector.hpp>
#include <ckpt/model/concepts.hpp>
#include <ckpt/model/entries.hpp>
#include <ckpt/model/state_dict.hpp>
#include <ckpt/model/walk.hpp>
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
    to.add_tensor(name, detail::shaped(to.label(), name, tensor_traits<std::remove_cvref_t<decltype(data)>>::view(data),
                                       extents));
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
    detail::add_state_value(to, name, value);
  } else if constexpr (temporary && !std::same_as<plain, tensor_view> && !variant_like<plain>) {
    detail::add_value(to, name, to.hold(std::forward<T>(value)));
  } else if constexpr (text<plain>) {
    to.add_string(name, std::string_view(value));
  } else if constexpr (tensor_like<plain>) {
    detail::with_view(to.label(), name, value, [&](const tensor_view& view) { to.add_tensor(name, view); });
  } else if constexpr (variant_like<plain>) {
    visit([&](auto&& alternative) { detail::add_value(to, name, std::forward<decltype(alternative)>(alternative)); },
          std::forward<T>(value));
  } else if constexpr (pointer_like<plain>) {
    if (value == nullptr)
      throw usage_error(errc::invalid_argument, {.path = to.label(), .name = std::string(name)},
                        "the pointer to it is null");
    detail::add_value(to, name, *value);
  } else if constexpr (with_shape<plain>) {
    detail::add_shaped(to, name, value);
  } else if constexpr (with_data_function<plain>) {
    detail::add_value(to, name, value.data());
  } else {
    detail::add_value(to, name, value.data);
  }
}

/// Adds to the entries what a walk finds.
struct collector {
  entries& to;

  [[nodiscard]] const std::string& label() const noexcept { return to.label(); }
  [[nodiscard]] bool wants(std::string_view name) const { return to.wants(name); }
  template <class T>
  void take(std::string_view name, T&& value) const {
    detail::add_value(to, name, std::forward<T>(value));
  }
  template <class T>
  T& hold(T&& temporary) const {
    return to.hold(std::forward<T>(temporary));
  }
  template <class Make>
  auto& hold_result(const Make& make) const {
    return to.hold_result(make);
  }
};

}  // namespace detail

/// Walks a save object once, in its order, and adds what `to` wants of it. Throws usage_error on a name given twice, a
/// null pointer, or a tensor whose own description is not consistent.
template <save_object Object>
void collect(entries& to, Object& object) {
  if constexpr (std::same_as<std::remove_cv_t<Object>, state_dict>) {
    to.set_metadata(object.metadata());
    for (const auto& [name, value] : object)
      if (to.wants(name)) detail::add_state_value(to, name, value);
  } else {
    detail::collector taker{to};
    ckpt::walk(taker, object);
  }
}

}  // namespace ckpt

#endif
