#ifndef CKPT_MODEL_STATE_DICT_HPP
#define CKPT_MODEL_STATE_DICT_HPP

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ckpt/core/byte_span.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/owner.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/io/aligned_memory.hpp>
#include <ckpt/io/source.hpp>
#include <ckpt/json/utf8.hpp>
#include <ckpt/model/entry_kind.hpp>
#include <ckpt/model/file_index.hpp>
#include <ckpt/model/metadata_pair.hpp>
#include <ckpt/model/number.hpp>
#include <ckpt/tensor/dtype.hpp>
#include <ckpt/tensor/shape.hpp>

namespace ckpt {

/// One entry of a state_dict: a name and a look at its content. Cheap to copy; lives as long as the state_dict.
class state_value {
 public:
  [[nodiscard]] std::string_view name() const noexcept { return m_entry->name(); }
  [[nodiscard]] entry_kind kind() const noexcept { return m_entry->kind(); }
  /// The element type of a tensor; uint8 for a string or a map.
  [[nodiscard]] dtype type() const noexcept { return m_entry->type(); }
  [[nodiscard]] sequence<std::int64_t> shape() const noexcept { return m_entry->shape(); }
  [[nodiscard]] std::uint64_t size_bytes() const noexcept { return m_entry->size_bytes(); }

  /// The content where it lies, without a copy: more than one piece for a tensor that its file holds in chunks, and for
  /// the slices of a map; none for a string.
  [[nodiscard]] std::size_t piece_count() const noexcept { return m_entry->extents().size(); }
  [[nodiscard]] sequence<std::byte> piece(std::size_t number) const noexcept {
    const extent part = m_entry->extents()[number];
    return {m_base + part.offset, static_cast<std::size_t>(part.size)};
  }

  /// The packed little-endian bytes of a tensor, of whatever alignment. Throws mismatch_error where it is no tensor, or
  /// lies in several pieces.
  [[nodiscard]] sequence<std::byte> bytes() const {
    check_kind(entry_kind::tensor);
    if (piece_count() != 1)
      refuse(errc::not_contiguous,
             concat({"the file holds it in ", std::to_string(piece_count()),
                     " chunks: copy it with to_vector or copy_to, or load with {.read = ckpt::read::copy}"}));
    return piece(0);
  }

  /// The elements, without a copy. Throws mismatch_error where T is not the element type, or the elements do not lie in
  /// one piece aligned to T (MindSpore does not align them), and format_error for a bool that is neither 0 nor 1.
  template <scalar T>
  [[nodiscard]] std::span<const T> as() const {
    check_type(dtype_of<T>);
    const sequence<std::byte> content = bytes();
    if (content.empty()) return {};
    if (reinterpret_cast<std::uintptr_t>(content.data()) % alignof(T) != 0)
      refuse(errc::not_contiguous, concat({"its bytes are not aligned to ", std::to_string(alignof(T)),
                                           " in the file: copy it with to_vector, load with {.read = "
                                           "ckpt::read::copy}, or save with {.align = 64}"}));
    if constexpr (std::same_as<T, bool>) check_bools(content);
    return {reinterpret_cast<const T*>(content.data()), content.size() / sizeof(T)};
  }

  /// A copy of the elements; of a narrower float type as the same numbers in a wider one. Throws as as(), but takes any
  /// alignment and any number of pieces.
  template <scalar T>
  [[nodiscard]] std::vector<T> to_vector() const {
    if constexpr (std::same_as<T, float> || std::same_as<T, double>)
      if (kind() == entry_kind::tensor && widens(type(), dtype_of<T>)) {
        std::vector<T> elements(static_cast<std::size_t>(*element_count(shape())));
        const byte_span bytes = std::as_writable_bytes(std::span(elements));
        copy_to(bytes.last(static_cast<std::size_t>(size_bytes())));
        widen(type(), dtype_of<T>, bytes);
        return elements;
      }
    check_type(dtype_of<T>);
    if constexpr (std::same_as<T, bool>) {
      std::vector<T> elements;
      for (std::size_t number = 0; number < piece_count(); ++number) {
        check_bools(piece(number));
        for (const std::byte element : piece(number)) elements.push_back(element != std::byte{0});
      }
      return elements;
    } else {
      std::vector<T> elements(static_cast<std::size_t>(size_bytes() / sizeof(T)));
      copy_to(std::as_writable_bytes(std::span(elements)));
      return elements;
    }
  }

  /// Copies the packed bytes of a tensor to memory of exactly size_bytes(); throws mismatch_error where it is another
  /// size.
  void copy_to(byte_span to) const {
    check_kind(entry_kind::tensor);
    if (to.size() != size_bytes())
      refuse(errc::shape_mismatch,
             concat({"it has ", std::to_string(size_bytes()), " bytes, the destination ", std::to_string(to.size())}),
             std::to_string(size_bytes()), std::to_string(to.size()));
    std::byte* out = to.data();
    for (std::size_t number = 0; number < piece_count(); ++number) {
      const sequence<std::byte> from = piece(number);
      if (!from.empty()) std::memcpy(out, from.data(), from.size());
      out += from.size();
    }
  }

  /// The one element of a tensor as T: of that element type, an integer from another integer type whose value fits, or
  /// a float from a narrower float type. Throws mismatch_error for everything else.
  template <scalar T>
  [[nodiscard]] T item() const {
    check_kind(entry_kind::tensor);
    if (*element_count(shape()) != 1)
      refuse(errc::shape_mismatch, concat({"item() needs one element; the shape is ", to_string(shape())}), "1 element",
             to_string(shape()));
    if (type() == dtype_of<T>) {
      const sequence<std::byte> content = bytes();
      if constexpr (std::same_as<T, bool>) {
        check_bools(content);
        return content.front() != std::byte{0};
      } else {
        T value;
        std::memcpy(&value, content.data(), sizeof value);
        return value;
      }
    }
    const std::optional<T> value = convert_number<T>(type(), bytes());
    if (!value)
      refuse(
          errc::dtype_mismatch,
          concat({"its ", ckpt::name(type()), " value cannot be read as ", ckpt::name(dtype_of<T>), " without loss"}),
          ckpt::name(dtype_of<T>), ckpt::name(type()));
    return *value;
  }

  /// The text of a string, in UTF-8. Throws mismatch_error where it is none, and format_error where it holds a lone
  /// surrogate, which UTF-8 does not have.
  [[nodiscard]] std::string text() const {
    check_kind(entry_kind::string);
    const std::string_view text = m_entry->text();
    if (!is_utf8(text))
      throw format_error(errc::unsupported, facts(), "it holds a lone surrogate, which UTF-8 cannot express");
    return std::string(text);
  }

 private:
  friend class state_dict;

  state_value(const index_entry& entry, const std::byte* base, const std::string& label) noexcept
      : m_entry(&entry), m_base(base), m_label(&label) {}

  [[nodiscard]] error_facts facts() const {
    return {.path = *m_label, .name = std::string(name()), .noun = ckpt::name(kind())};
  }

  [[noreturn]] void refuse(errc code, const std::string& text, std::string_view expected = {},
                           std::string_view found = {}) const {
    error_facts all = facts();
    all.expected = expected;
    all.found = found;
    throw mismatch_error(code, std::move(all), text);
  }

  void check_kind(entry_kind asked) const {
    if (kind() != asked)
      refuse(errc::dtype_mismatch, concat({"it is a ", ckpt::name(kind()), ", not a ", ckpt::name(asked)}),
             ckpt::name(asked), ckpt::name(kind()));
  }

  void check_type(dtype asked) const {
    check_kind(entry_kind::tensor);
    if (type() != asked)
      refuse(errc::dtype_mismatch, concat({"it holds ", ckpt::name(type()), ", not ", ckpt::name(asked)}),
             ckpt::name(asked), ckpt::name(type()));
  }

  void check_bools(sequence<std::byte> content) const { ckpt::check_bools(content, *m_label, name()); }

  const index_entry* m_entry;
  const std::byte* m_base;
  const std::string* m_label;
};

/// What load returns: the entries of a checkpoint in the order of the file, as views into the mapped file or into
/// memory of its own. Move only; owns what its views show, so keep it while you use them. Any number of threads may
/// read it and its values at the same time, or save it.
class state_dict {
 public:
  /// For load: the extents of `index` lie in `content`, which is in memory.
  state_dict(file_index index, owner<const source> content)
      : m_state(new state{std::move(index), content->data(), std::move(content), aligned_memory()}) {}
  state_dict(file_index index, aligned_memory content)
      : m_state(new state{std::move(index), content.bytes().data(), owner<const source>(), std::move(content)}) {}

  class iterator {
   public:
    using value_type = std::pair<std::string_view, state_value>;
    using difference_type = std::ptrdiff_t;

    iterator() = default;
    /// (A template so that only who calls it compiles it.)
    template <class Value = value_type>
    Value operator*() const noexcept {
      const state_value value = m_owner->at(m_position);
      return {value.name(), value};
    }
    iterator& operator++() noexcept {
      ++m_position;
      return *this;
    }
    iterator operator++(int) noexcept {
      const iterator before = *this;
      ++m_position;
      return before;
    }
    friend bool operator==(const iterator&, const iterator&) noexcept = default;

   private:
    friend class state_dict;
    iterator(const state_dict* owner, std::size_t position) noexcept : m_owner(owner), m_position(position) {}

    const state_dict* m_owner = nullptr;
    std::size_t m_position = 0;
  };

  [[nodiscard]] std::size_t size() const noexcept { return index().size(); }
  [[nodiscard]] bool empty() const noexcept { return index().empty(); }
  [[nodiscard]] iterator begin() const& noexcept { return {this, 0}; }
  [[nodiscard]] iterator end() const& noexcept { return {this, size()}; }

  /// The entry of that name. Throws mismatch_error where there is none.
  [[nodiscard]] state_value operator[](std::string_view name) const& {
    return {index().at(name), m_state->base, index().label()};
  }

  /// The same, or nothing. (A template so that only who calls it compiles it.)
  template <std::same_as<state_value> Value = state_value>
  [[nodiscard]] std::optional<Value> find(std::string_view name) const& {
    const index_entry* const entry = index().find(name);
    if (entry == nullptr) return std::nullopt;
    return Value(*entry, m_state->base, index().label());
  }

  [[nodiscard]] bool contains(std::string_view name) const { return index().find(name) != nullptr; }

  /// What the file says of its entries. Offsets are those in the memory where their content is now.
  [[nodiscard]] const file_index& index() const& noexcept { return m_state->index; }
  const file_index& index() const&& = delete;
  /// The entry that has this place in index().
  [[nodiscard]] state_value at(std::size_t position) const& noexcept {
    return {index()[position], m_state->base, index().label()};
  }
  state_value at(std::size_t position) const&& = delete;

  // A view of a temporary would outlive its memory: keep what load returns in a variable.
  iterator begin() const&& = delete;
  iterator end() const&& = delete;
  state_value operator[](std::string_view name) const&& = delete;
  std::optional<state_value> find(std::string_view name) const&& = delete;
  sequence<metadata_pair> metadata() const&& = delete;

  /// "ckpt" or "safetensors".
  [[nodiscard]] std::string_view format() const noexcept { return index().format(); }
  /// What the file was encrypted with, as "AES-GCM"; empty where it was plain.
  [[nodiscard]] std::string_view cipher() const noexcept { return index().cipher(); }
  /// Whether it was encrypted and sealed. A file that MindSpore encrypted is not.
  [[nodiscard]] bool is_sealed() const noexcept { return index().is_sealed(); }
  /// Whether the file carries a checksum; load verifies it where a checksum policy is named.
  [[nodiscard]] bool has_checksum() const noexcept { return index().has_checksum(); }
  /// The pairs of a safetensors file's `__metadata__`.
  [[nodiscard]] sequence<metadata_pair> metadata() const& noexcept { return index().metadata(); }

 private:
  struct state {
    file_index index;
    const std::byte* base;
    owner<const source> file;  // one of the two holds what lies at base
    aligned_memory memory;
  };

  owner<const state> m_state;  // its address stays: views outlive a move of the state_dict
};

}  // namespace ckpt

#endif
