#ifndef CKPT_MODEL_APPEND_VALUES_HPP
#define CKPT_MODEL_APPEND_VALUES_HPP

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <ckpt/core/keeper.hpp>
#include <ckpt/core/trivial_vector.hpp>
#include <ckpt/model/concepts.hpp>
#include <ckpt/model/entries.hpp>
#include <ckpt/tensor/tensor.hpp>
#include <ckpt/tensor/tensor_traits.hpp>
#include <ckpt/tensor/tensor_view.hpp>

namespace ckpt {

/// A value saved beside a model, as MindSpore's append_dict: an integer becomes a 0-d int64 (uint64 from 2^63 on), a
/// float a 0-d float32, a bool a 0-d bool, text a string, a tensor is itself. A tensor given as an lvalue is borrowed
/// until the save is done; a ckpt::tensor that is given away is kept, everything else copied.
class append_value {
 public:
  template <std::integral T>
    requires scalar<T>
  append_value(std::string_view name, T value) : append_value(name, integer(value)) {}

  template <std::floating_point T>
  append_value(std::string_view name, T value) : append_value(name, scalar_tensor(static_cast<float>(value))) {}

  template <text T>
  append_value(std::string_view name, const T& value)
      : m_name(name), m_text(std::string_view(value)), m_holds(holds::text) {}

  template <std::same_as<tensor> T>
  append_value(std::string_view name, T&& value)
      : m_name(name), m_owned(std::make_shared<const tensor>(std::forward<T>(value))), m_holds(holds::tensor) {}

  template <class T>
    requires(tensor_like<T> && !std::same_as<T, tensor>)
  append_value(std::string_view name, T&& value) : m_name(name) {
    const tensor_view& view = tensor_traits<std::remove_cvref_t<T>>::view(value);
    if constexpr (std::is_lvalue_reference_v<T>) {
      m_borrowed = view;
      m_holds = holds::view;
    } else {
      tensor copy(view.type(), view.shape());
      view.copy_to(0, copy.bytes());
      m_owned = std::make_shared<const tensor>(std::move(copy));
    }
  }

  /// Adds it to `to`, which borrows it.
  void add_to(entries& to) const {
    if (m_holds == holds::text) to.add_string(m_name, m_text);
    else if (m_holds == holds::tensor) to.add_tensor(m_name, *m_owned);
    else to.add_tensor(m_name, m_borrowed);
  }

 private:
  enum class holds : std::uint8_t { text, tensor, view };

  template <scalar T>
  static tensor scalar_tensor(T value) {
    return tensor(shape{}, {value});
  }

  template <std::integral T>
  static tensor integer(T value) {
    if constexpr (std::same_as<T, bool>) {
      return scalar_tensor(value);
    } else {
      if (std::in_range<std::int64_t>(value)) return scalar_tensor(static_cast<std::int64_t>(value));
      return scalar_tensor(static_cast<std::uint64_t>(value));
    }
  }

  std::string m_name;
  std::string m_text;
  std::shared_ptr<const tensor> m_owned;  // shared by copies: an initializer list is copied from
  tensor_view m_borrowed = tensor_view(dtype::uint8, shape{0}, {});
  holds m_holds = holds::tensor;
};

/// `{{"epoch", 3}, {"lr", 0.1f}, {"note", "text"}}`
class append_values {
 public:
  append_values() = default;
  append_values(std::initializer_list<append_value> values) {
    for (const append_value& value : values) add(append_value(value));
  }
  append_values(const append_values& other) { add(other); }
  append_values(append_values&& other) noexcept = default;
  append_values& operator=(append_values other) noexcept {
    m_values.swap(other.m_values);
    m_keeper = std::move(other.m_keeper);
    return *this;
  }
  ~append_values() = default;

  /// One more, after the others.
  template <class T>
  void add(std::string_view name, T&& value) {
    add(append_value(name, std::forward<T>(value)));
  }

  /// Those of `more`, after the others.
  void add(const append_values& more) {
    for (std::size_t position = 0, count = more.m_values.size(); position < count; ++position)
      add(append_value(*more.m_values[position].value));
  }

  [[nodiscard]] std::size_t size() const noexcept { return m_values.size(); }

  /// Adds each of them to `to`, which borrows it, whether or not `to` wants such a name: nobody appends what is not to
  /// be saved.
  void add_to(entries& to) const {
    for (const held& each : m_values) each.value->add_to(to);
  }

 private:
  struct held {
    const append_value* value;
  };

  void add(append_value&& value) { m_values.push_back({&m_keeper.hold(std::move(value))}); }

  keeper m_keeper;
  trivial_vector<held> m_values;  // in order
};

}  // namespace ckpt

#endif
