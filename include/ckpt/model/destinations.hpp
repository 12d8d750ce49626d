#ifndef CKPT_MODEL_DESTINATIONS_HPP
#define CKPT_MODEL_DESTINATIONS_HPP

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <ckpt/core/arena.hpp>
#include <ckpt/core/byte_span.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/excerpt.hpp>
#include <ckpt/core/keeper.hpp>
#include <ckpt/core/name_index.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/core/trivial_vector.hpp>
#include <ckpt/io/aligned_memory.hpp>
#include <ckpt/json/utf8.hpp>
#include <ckpt/model/concepts.hpp>
#include <ckpt/model/file_index.hpp>
#include <ckpt/model/number.hpp>
#include <ckpt/model/state_dict.hpp>
#include <ckpt/model/walk.hpp>
#include <ckpt/tensor/dtype.hpp>
#include <ckpt/tensor/shape.hpp>
#include <ckpt/tensor/tensor_traits.hpp>
#include <ckpt/tensor/tensor_view.hpp>

namespace ckpt {

namespace detail {

// What an expression of type T gives to write through: a temporary only what it refers to, as a span does.
template <class T>
using written = std::conditional_t<std::is_lvalue_reference_v<T>, T, const std::remove_reference_t<T>&>;

template <class T>
concept writable_tensor = tensor_like<T> && requires(written<T> value) {
  { tensor_traits<std::remove_cvref_t<T>>::writable(value) } -> std::convertible_to<void*>;
};

template <class T>
concept writable_text = text<T> && !std::is_trivially_destructible_v<std::remove_cvref_t<T>> &&
                        std::is_assignable_v<written<T>, std::string>;

// What a walk can make something of.
template <class T>
concept walkable = savable<T> || cell_like<T> || pointer_to_cell<T> ||
                   (range<T> && (parameter_like<element_of<T>> || named_value<element_of<T>> ||
                                 savable<element_of<T>> || cell_like<element_of<T>> || pointer_to_cell<element_of<T>>));

// A temporary as a walk sees it: const, so that what it owns is refused instead of filled in vain, while what it only
// refers to is not. One that gives nothing as const is a handle.
template <class T>
using shown_const = std::conditional_t<walkable<const T>, const T, T>;

}  // namespace detail

/// Where the entries of a file go: into the parameters of a network, each into that of its name. A walk hands them in
/// (model/walk.hpp), and nothing is written before finish(), or who visits the tensors, does. A template as
/// mindspore_reader is.
template <class Index>
class destinations {
 public:
  /// `from` must outlive this, as must the network. `choose`, where not empty, is asked for each name whether to fill
  /// it.
  destinations(const Index& from, const std::function<bool(std::string_view)>& choose)
      : m_from(from), m_choose(choose) {
    m_places.reserve(from.size());
    for (std::size_t i = 0; i < from.size(); ++i) m_places.emplace_back();
  }

  /// Names of the network that the file does not have, in the network's order.
  [[nodiscard]] sequence<std::string_view> missing() const noexcept { return m_missing; }
  /// Whether the network has a name that `choose` refuses.
  [[nodiscard]] bool has_left_out() const noexcept { return m_has_left_out; }
  /// Calls `visit(name)` for each name of the file that the network does not have, in the file's order, without those
  /// that `choose` refuses.
  template <class Visitor>
  void for_each_unexpected(const Visitor& visit) const {
    for (std::size_t i = 0; i < m_from.size(); ++i)
      if (!m_places[i].is_there && is_chosen(m_from[i].name())) visit(m_from[i].name());
  }
  /// How many entries go somewhere.
  [[nodiscard]] std::size_t size() const noexcept { return m_size; }

  /// After the walk: gives what is to be widened memory of its own where it shares some with another parameter, as tied
  /// weights do.
  void keep_apart() {
    trivial_vector<std::size_t> order;
    bool has_widened = false;
    for (std::size_t i = 0; i < m_from.size(); ++i) {
      if (m_places[i].size == 0) continue;
      order.push_back(i);
      has_widened = has_widened || is_widened(i);
    }
    if (!has_widened) return;
    const auto begin_of = [this](std::size_t i) { return reinterpret_cast<std::uintptr_t>(m_places[i].to); };
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return begin_of(a) < begin_of(b); });
    std::uintptr_t last_end = 0;  // of those before
    for (std::size_t k = 0; k < order.size(); ++k) {
      const std::size_t i = order[k];
      const std::uintptr_t begin = begin_of(i);
      const std::uintptr_t end = begin + m_places[i].size;
      const bool shares = begin < last_end || (k + 1 < order.size() && begin_of(order[k + 1]) < end);
      if (shares && is_widened(i)) pack(i, tensor_view(m_places[i].type, shape(m_from[i].shape()), elements_of(i)));
      last_end = std::max(last_end, end);
    }
  }

  /// Calls `visit(position, bytes)` for each tensor that goes somewhere, with where the file has it and where its bytes
  /// go, in the order of the file.
  template <class Visitor>
  void for_each_tensor(const Visitor& visit) const {
    for (std::size_t i = 0; i < m_from.size(); ++i)
      if (m_places[i].is_there && m_from[i].kind() == entry_kind::tensor) {
        const auto size = static_cast<std::size_t>(m_from[i].size_bytes());
        visit(i, elements_of(i).last(size));  // what is to be widened lies at the end at first
      }
  }

  /// Once their bytes are there: makes of them what the network wants. Throws format_error for a bool that is neither 0
  /// nor 1.
  void finish() const {
    for_each_tensor([&](std::size_t position, byte_span bytes) {
      const dtype type = m_places[position].type;
      if (is_widened(position)) widen(m_from[position].type(), type, elements_of(position));
      if (type == dtype::boolean) check_bools(bytes, label(), m_from[position].name());
    });
    for (const packed_place* each = m_packed; each != nullptr; each = each->next)
      each->view.scatter(each->packed.bytes().data(), each->first);
    for (const text_place& each : m_texts) each.assign(each.to, std::string(each.from->text()));
  }

  // What a walk tells; see there.

  [[nodiscard]] const std::string& label() const noexcept { return m_from.label(); }
  [[nodiscard]] bool wants(std::string_view name) {
    const bool wanted = is_chosen(name);
    m_has_left_out = m_has_left_out || !wanted;
    return wanted;
  }

  template <class T>
  void take(std::string_view name, T&& value) {
    using plain = std::remove_cvref_t<T>;
    if constexpr (text<plain>) {
      add_text(name, std::forward<T>(value));
    } else if constexpr (tensor_like<plain> || std::same_as<plain, state_value>) {
      add_tensor(name, std::forward<T>(value), nullptr);
    } else if constexpr (detail::variant_like<plain>) {
      visit([&](auto&& alternative) { take(name, std::forward<decltype(alternative)>(alternative)); },
            std::forward<T>(value));
    } else if constexpr (!std::is_lvalue_reference_v<T>) {
      constexpr bool owns = detail::pointer_like<plain> && !std::copy_constructible<plain>;
      static_assert(!owns,
                    "ckpt: load_into cannot write to a tensor of this network: what the pointer to it owns goes "
                    "away with it. Hand out a reference to the pointer that the network has");
      if constexpr (!owns) take(name, hold(std::forward<T>(value)));
    } else if constexpr (detail::pointer_like<plain>) {
      if (value == nullptr)
        throw usage_error(errc::invalid_argument, {.path = label(), .name = std::string(name)},
                          "the pointer to it is null");
      take(name, *value);
    } else if constexpr (detail::with_shape<plain>) {
      const trivial_vector<std::int64_t> extents = detail::extents_of(value);
      if constexpr (detail::with_data_function<std::remove_reference_t<T>>) add_tensor(name, value.data(), &extents);
      else add_tensor(name, value.data, &extents);
    } else if constexpr (detail::with_data_function<std::remove_reference_t<T>>) {
      take(name, value.data());
    } else {
      take(name, value.data);
    }
  }

  template <class T>
  detail::shown_const<T>& hold(T&& temporary) {
    return m_held.hold(std::forward<T>(temporary));
  }
  template <class Make>
  detail::shown_const<std::invoke_result_t<const Make&>>& hold_result(const Make& make) {
    return m_held.hold_result(make);
  }

 private:
  struct place {
    std::byte* to = nullptr;
    std::size_t size = 0;  // of a tensor
    dtype type = dtype::uint8;
    bool is_there = false;
  };
  /// A tensor that comes from a packed copy: its elements do not lie in their order, or not in memory of their own.
  struct packed_place {
    tensor_view view;
    std::byte* first;
    aligned_memory packed;
    const packed_place* next;
  };
  struct text_place {
    const index_entry* from;
    void* to;
    void (*assign)(void*, std::string&&);
  };

  [[nodiscard]] bool is_chosen(std::string_view name) const { return !m_choose || m_choose(name); }

  /// `extents`: what the parameter says of its shape, beside its data; else null.
  template <class T>
  void add_tensor(std::string_view name, T&& value, const trivial_vector<std::int64_t>* extents) {
    static_assert(detail::writable_tensor<T>,
                  "ckpt: load_into cannot write to a tensor of this network: it is const, a copy, or of a type whose "
                  "tensor_traits has no writable(T&). Hand out references to what is to be filled, from a "
                  "visit_parameters, parameters_and_names or data() that is not const");
    if constexpr (detail::writable_tensor<T>) {
      using plain = std::remove_cvref_t<T>;
      constexpr bool is_list = scalar_range<plain> && !detail::with_shape<plain>;
      void* const first = tensor_traits<plain>::writable(value);
      detail::with_view(label(), name, value, [&](const tensor_view& view) {
        if (extents == nullptr) place_tensor(name, view, is_list, first);
        else place_tensor(name, detail::shaped(label(), name, view, *extents), false, first);
      });
    }
  }

  /// `is_list`: it has no shape but that of a list, and takes a tensor of any with as many elements.
  void place_tensor(std::string_view name, const tensor_view& view, bool is_list, void* first) {
    const index_entry* const from = claim(name, entry_kind::tensor);
    if (from == nullptr) return;
    const dtype type = view.type();
    if (from->type() != type && !widens(from->type(), type))
      refuse(*from, errc::dtype_mismatch, ckpt::name(from->type()), ckpt::name(type), "holds ");
    const sequence<std::int64_t> shape = view.shape().extents();
    const bool fits =
        is_list ? *element_count(from->shape()) == *element_count(shape) : same_extents(from->shape(), shape);
    if (!fits) refuse(*from, errc::shape_mismatch, to_string(from->shape()), to_string(shape), "has the shape ");
    const std::size_t position = position_of(*from);
    m_places[position] = {static_cast<std::byte*>(first), static_cast<std::size_t>(view.size_bytes()), type, true};
    if (!view.is_contiguous()) pack(position, view);
  }

  void pack(std::size_t position, const tensor_view& view) {
    place& its = m_places[position];
    aligned_memory packed(its.size);
    m_packed = &m_held.hold(packed_place{view, its.to, std::move(packed), m_packed});
    its.to = m_packed->packed.bytes().data();
  }

  template <class Text>
  void add_text(std::string_view name, Text&& to) {
    const index_entry* const from = claim(name, entry_kind::string);
    if (from == nullptr) return;
    if constexpr (detail::writable_text<Text>) {
      if (!is_utf8(from->text()))
        throw format_error(errc::unsupported, {.path = label(), .name = std::string(name), .noun = "string"},
                           "it holds a lone surrogate, which UTF-8 cannot express");
      m_texts.push_back({from, &to, [](void* text, std::string&& value) {
                           *static_cast<std::remove_reference_t<Text>*>(text) = std::move(value);
                         }});
    } else if (const std::string_view fixed(to); from->text() != fixed) {
      refuse(*from, errc::malformed, concat({"\"", excerpt(from->text()), "\""}),
             concat({"\"", excerpt(fixed), "\", which cannot be written to"}), "is ");
    }
  }

  /// The entry of that name, once; null where the file has none.
  [[nodiscard]] const index_entry* claim(std::string_view name, entry_kind kind) {
    const index_entry* const from = m_from.find(name);
    bool is_new = false;
    if (from == nullptr) {
      is_new = m_missing_names.insert(name, [this](std::size_t position) { return m_missing[position]; }).is_new;
      if (is_new) m_missing.push_back(m_memory.store(name));
    } else {
      if (from->kind() != kind)
        refuse(*from, errc::dtype_mismatch, ckpt::name(from->kind()), ckpt::name(kind), "is a ");
      place& its = m_places[position_of(*from)];
      is_new = !its.is_there;
      its.is_there = true;
      ++m_size;
    }
    if (!is_new)
      throw usage_error(errc::duplicate, {.path = label(), .name = std::string(name), .noun = ckpt::name(kind)},
                        "the network gives the name twice; rename one");
    return from;
  }

  /// Where the elements of a tensor go that goes somewhere.
  [[nodiscard]] byte_span elements_of(std::size_t position) const noexcept {
    return {m_places[position].to, m_places[position].size};
  }
  [[nodiscard]] bool is_widened(std::size_t position) const noexcept {
    return m_places[position].size > 0 && m_places[position].type != m_from[position].type();
  }
  [[nodiscard]] std::size_t position_of(const index_entry& entry) const noexcept {
    return static_cast<std::size_t>(&entry - m_from.begin());
  }

  [[noreturn]] void refuse(const index_entry& from, errc code, std::string_view found, std::string_view expected,
                           std::string_view verb) const {
    throw mismatch_error(code,
                         {.path = label(),
                          .name = std::string(from.name()),
                          .noun = ckpt::name(from.kind()),
                          .expected = std::string(expected),
                          .found = std::string(found)},
                         concat({"that of the file ", verb, found, ", that of the network ", verb, expected}));
  }

  const Index& m_from;
  const std::function<bool(std::string_view)>& m_choose;
  trivial_vector<place> m_places;          // one for each entry
  const packed_place* m_packed = nullptr;  // the last one, and before it the others; they are held
  trivial_vector<text_place> m_texts;
  trivial_vector<std::string_view> m_missing;
  name_index m_missing_names;
  arena m_memory;  // of those
  keeper m_held;
  std::size_t m_size = 0;
  bool m_has_left_out = false;
};

}  // namespace ckpt

#endif
