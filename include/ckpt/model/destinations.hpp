#ifndef CKPT_MODEL_DESTINATIONS_HPP
#define CKPT_MODEL_DESTINATIONS_HPP

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <ckpt/core/arena.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/core/trivial_vector.hpp>
#include <ckpt/io/aligned_memory.hpp>
#include <ckpt/json/utf8.hpp>
#include <ckpt/model/concepts.hpp>
#include <ckpt/model/file_index.hpp>
#include <ckpt/model/number.hpp>
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

// A container of its own, whose elements are const where it is.
template <class T>
using shown_const = std::conditional_t<range<const T>, const T, T>;

}  // namespace detail

/// Where the entries of a file go: into the parameters of a network, each into that of its name. A walk hands them in
/// (model/walk.hpp), and nothing is written before all of them were found to fit.
class destinations {
 public:
  /// `from` must outlive this, as must the network. `choose`, where not empty, is asked for each name whether to fill
  /// it.
  destinations(const file_index& from, const std::function<bool(std::string_view)>& choose)
      : m_from(from), m_choose(choose) {
    m_places.reserve(from.size());
    for (std::size_t i = 0; i < from.size(); ++i) m_places.emplace_back();
  }
  destinations(const destinations&) = delete;
  destinations& operator=(const destinations&) = delete;
  ~destinations() {
    while (m_strided != nullptr) {
      const strided_place* const gone = m_strided;
      m_strided = gone->next;
      delete gone;
    }
  }

  /// Names of the network that the file does not have, in the network's order.
  [[nodiscard]] sequence<std::string_view> missing() const noexcept { return m_missing; }
  /// Calls `visit(name)` for each name of the file that the network does not have, in the file's order, without those
  /// that `choose` refuses.
  template <class Visitor>
  void for_each_unexpected(const Visitor& visit) const {
    for (std::size_t i = 0; i < m_from.size(); ++i)
      if (!m_places[i].is_there && wants(m_from[i].name())) visit(m_from[i].name());
  }
  /// How many entries go somewhere.
  [[nodiscard]] std::size_t size() const noexcept { return m_size; }

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
    for_each_tensor([&](std::size_t position, std::span<const std::byte> bytes) {
      const index_entry& from = m_from[position];
      const dtype type = m_places[position].type;
      if (type != from.type()) widen(from.type(), type, elements_of(position));
      if (type == dtype::boolean) check_bools(bytes, label(), from.name());
    });
    for (const strided_place* each = m_strided; each != nullptr; each = each->next)
      each->view.scatter(each->packed.bytes().data(), each->first);
    for (const text_place& each : m_texts) each.assign(each.to, std::string(each.from->text()));
  }

  // What a walk tells; see there.

  [[nodiscard]] const std::string& label() const noexcept { return m_from.label(); }
  [[nodiscard]] bool wants(std::string_view name) const { return !m_choose || m_choose(name); }

  template <class T>
  void take(std::string_view name, T&& value) {
    using plain = std::remove_cvref_t<T>;
    if constexpr (text<plain>) {
      static_assert(detail::writable_text<T>,
                    "ckpt: load_into cannot assign to a text of this network: make it a std::string that is not const");
      if constexpr (detail::writable_text<T>) add_text(name, value);
    } else if constexpr (tensor_like<plain>) {
      add_tensor(name, std::forward<T>(value), nullptr);
    } else if constexpr (detail::variant_like<plain>) {
      visit([&](auto&& alternative) { take(name, std::forward<decltype(alternative)>(alternative)); },
            std::forward<T>(value));
    } else if constexpr (detail::pointer_like<plain>) {
      if (value == nullptr)
        throw usage_error(errc::invalid_argument, {.path = label(), .name = std::string(name)},
                          "the pointer to it is null");
      take(name, *value);
    } else if constexpr (detail::with_shape<plain>) {
      const trivial_vector<std::int64_t> extents = detail::extents_of(value);
      if constexpr (detail::with_data_function<plain>) add_tensor(name, value.data(), &extents);
      else add_tensor(name, std::forward<T>(value).data, &extents);
    } else if constexpr (detail::with_data_function<plain>) {
      take(name, value.data());
    } else if constexpr (detail::with_data_member<plain>) {
      take(name, std::forward<T>(value).data);
    } else {
      static_assert(detail::writable_tensor<T>, "ckpt: load_into cannot write to what a state_dict shows");
    }
  }

  /// A container that goes away shows its elements as const: what they own would be filled in vain.
  template <class T>
  detail::shown_const<T>& hold(T&& temporary) const noexcept {
    return temporary;
  }
  template <class Make>
  detail::shown_const<std::invoke_result_t<const Make&>> hold_result(const Make& make) const {
    return make();
  }

 private:
  struct place {
    std::byte* to = nullptr;
    dtype type = dtype::uint8;
    bool is_there = false;
  };
  /// A tensor whose elements do not lie in their order: they come from a packed copy.
  struct strided_place {
    tensor_view view;
    std::byte* first;
    aligned_memory packed;
    const strided_place* next;
  };
  struct text_place {
    const index_entry* from;
    void* to;
    void (*assign)(void*, std::string&&);
  };

  /// `extents`: what the parameter says of its shape, where its data does not; else null.
  template <class T>
  void add_tensor(std::string_view name, T&& value, const trivial_vector<std::int64_t>* extents) {
    static_assert(detail::writable_tensor<T>,
                  "ckpt: load_into cannot write to a tensor of this network: it is const, a copy, or of a type whose "
                  "tensor_traits has no writable(T&). Hand out references to what is to be filled, from a "
                  "visit_parameters, parameters_and_names or data() that is not const");
    if constexpr (detail::writable_tensor<T>) {
      using plain = std::remove_cvref_t<T>;
      void* const first = tensor_traits<plain>::writable(value);
      detail::with_view(label(), name, value, [&](const tensor_view& view) {
        // As when it is saved: a shape beside the data counts where the data has none but that of a list.
        if (extents != nullptr && view.is_contiguous() && view.shape().size() == 1)
          place_tensor(name, view, *extents, false, first);
        else place_tensor(name, view, view.shape().extents(), scalar_range<plain> && !detail::with_shape<plain>, first);
      });
    }
  }

  /// `is_list`: it has no shape but that of a list, and takes a tensor of any with as many elements.
  void place_tensor(std::string_view name, const tensor_view& view, sequence<std::int64_t> shape, bool is_list,
                    void* first) {
    const index_entry* const from = claim(name, entry_kind::tensor);
    if (from == nullptr) return;
    const dtype type = view.type();
    if (from->type() != type && !widens(from->type(), type))
      refuse(*from, errc::dtype_mismatch, ckpt::name(from->type()), ckpt::name(type), "holds ");
    place& its = m_places[position_of(*from)];
    its.to = static_cast<std::byte*>(first);
    its.type = type;
    const bool is_same =
        is_list ? elements_of(position_of(*from)).size() == view.size_bytes() : is_equal(from->shape(), shape);
    if (!is_same) refuse(*from, errc::shape_mismatch, to_string(from->shape()), to_string(shape), "has the shape ");
    if (content_size(type, shape) != view.size_bytes())
      throw usage_error(errc::shape_mismatch,
                        {.path = label(),
                         .name = std::string(name),
                         .expected = to_string(shape),
                         .found = to_string(view.shape().extents())},
                        concat({"its shape is ", to_string(shape), ", its data ", to_string(view.shape().extents()),
                                " of ", ckpt::name(type)}));
    if (view.is_contiguous()) return;
    aligned_memory packed(static_cast<std::size_t>(view.size_bytes()));
    m_strided = new strided_place{view, its.to, std::move(packed), m_strided};
    its.to = m_strided->packed.bytes().data();
  }

  template <class Text>
  void add_text(std::string_view name, Text& to) {
    const index_entry* const from = claim(name, entry_kind::string);
    if (from == nullptr) return;
    if (!is_utf8(from->text()))
      throw format_error(errc::unsupported, {.path = label(), .name = std::string(name), .noun = "string"},
                         "it holds a lone surrogate, which UTF-8 cannot express");
    m_texts.push_back(
        {from, &to, [](void* text, std::string&& value) { *static_cast<Text*>(text) = std::move(value); }});
  }

  /// The entry of that name, once; null where the file has none.
  [[nodiscard]] const index_entry* claim(std::string_view name, entry_kind kind) {
    const index_entry* const from = m_from.find(name);
    if (from == nullptr) {
      m_missing.push_back(m_names.store(name));
      return nullptr;
    }
    if (from->kind() != kind) refuse(*from, errc::dtype_mismatch, ckpt::name(from->kind()), ckpt::name(kind), "is a ");
    place& its = m_places[position_of(*from)];
    if (its.is_there)
      throw usage_error(errc::duplicate, {.path = label(), .name = std::string(name), .noun = ckpt::name(kind)},
                        "the network gives the name twice; rename one");
    its.is_there = true;
    ++m_size;
    return from;
  }

  /// Where the elements of a tensor go that goes somewhere.
  [[nodiscard]] std::span<std::byte> elements_of(std::size_t position) const noexcept {
    const std::uint64_t count = m_from[position].size_bytes() * 8 / info(m_from[position].type()).bits;
    return {m_places[position].to, static_cast<std::size_t>(count * info(m_places[position].type).bits / 8)};
  }

  [[nodiscard]] std::size_t position_of(const index_entry& entry) const noexcept {
    return static_cast<std::size_t>(&entry - m_from.begin());
  }

  [[nodiscard]] static bool is_equal(sequence<std::int64_t> a, sequence<std::int64_t> b) noexcept {
    if (a.size() != b.size()) return false;
    for (std::size_t axis = 0; axis < a.size(); ++axis)
      if (a[axis] != b[axis]) return false;
    return true;
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

  const file_index& m_from;
  const std::function<bool(std::string_view)>& m_choose;
  trivial_vector<place> m_places;            // one for each entry
  const strided_place* m_strided = nullptr;  // the last one, and before it the others
  trivial_vector<text_place> m_texts;
  trivial_vector<std::string_view> m_missing;
  arena m_names;  // of those
  std::size_t m_size = 0;
};

}  // namespace ckpt

#endif
