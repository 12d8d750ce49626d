#ifndef CKPT_CHECKPOINT_READER_HPP
#define CKPT_CHECKPOINT_READER_HPP

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <ckpt/checkpoint/open_file.hpp>
#include <ckpt/checkpoint/options.hpp>
#include <ckpt/checkpoint/plain_source.hpp>
#include <ckpt/checkpoint/policies.hpp>
#include <ckpt/core/byte_span.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/owner.hpp>
#include <ckpt/io/source_window.hpp>
#include <ckpt/model/file_index.hpp>
#include <ckpt/model/number.hpp>
#include <ckpt/tensor/dtype.hpp>
#include <ckpt/tensor/shape.hpp>
#include <ckpt/tensor/slice.hpp>

namespace ckpt {

namespace detail {

// The element of a list, const where it cannot be written to.
template <class List>
using span_element = typename decltype(std::span(std::declval<std::remove_reference_t<List>&>()))::element_type;

/// Whether elements can be read into it; says why where they cannot.
template <class List>
constexpr bool check_list_to_fill() noexcept {
  constexpr bool is_list = requires { typename span_element<List>; };
  static_assert(is_list,
                "ckpt: the elements of a tensor are read into a span, or what passes as one: a std::vector (but of "
                "bool), a std::array, an array; of a ckpt::tensor give what as<T>() or bytes() returns");
  if constexpr (is_list) {
    using element = span_element<List>;
    constexpr bool is_const = std::is_const_v<element>;
    static_assert(!is_const, "ckpt: the elements to read into are const");
    constexpr bool is_element = scalar<element> || std::same_as<std::remove_cv_t<element>, std::byte>;
    static_assert(is_const || is_element,
                  "ckpt: what is to be read into has elements of a type that no tensor has: char is text, and arrays "
                  "of arrays are to be given as one span");
    constexpr bool is_kept = std::is_constructible_v<std::span<element>, List>;
    static_assert(is_const || !is_element || is_kept,
                  "ckpt: what is read would go away with the temporary that it is read into: keep that in a variable");
    return !is_const && is_element && is_kept;
  } else {
    return false;
  }
}

}  // namespace detail

/// An open checkpoint file, from which single tensors, or slices of them, are read straight into memory of the caller.
/// The file is indexed once; nothing is mapped and nothing kept of the data, but of an encrypted file the last block
/// that was read in part (2 to 64 MiB), and one for each thread, up to 256 MiB, where it is read in order. Several
/// threads may read at the same time. Move only. Without policies it is `reader`.
template <class... Policies>
class basic_reader {
 public:
  /// Throws as load; of the options it heeds what concerns ciphers, and `in_flight`.
  explicit basic_reader(std::string path, const load_options& options = {})
      : m_opened(detail::open_file(std::move(path), read::copy, options), options),
        m_index(m_opened.template index<typename chosen::format>(*m_opened.plain)) {}

  [[nodiscard]] const file_index& index() const& noexcept { return m_index; }
  const file_index& index() const&& = delete;  // it would be gone with the reader

  /// Fills `to` with the elements of a tensor, or of a box of it, row-major; those of a narrower float type as the same
  /// numbers. Throws mismatch_error where there is no tensor of that name and element type or `to` has another size,
  /// usage_error where the slice does not fit, io_error, format_error for a bool that is neither 0 nor 1 (`to` must not
  /// be used then).
  template <scalar T>
    requires(!std::is_const_v<T>)
  void read_into(std::string_view name, std::span<T> to, const slice& box = {}) const {
    const index_entry& entry = find(name);
    if (widens(entry.type(), dtype_of<T>)) {
      const std::uint64_t count = count_of(entry, box);
      if (count != to.size()) refuse_size(entry, count * sizeof(T), to.size_bytes());
      const byte_span bytes = std::as_writable_bytes(to);
      read_into(name, bytes.last(to.size() * (info(entry.type()).bits / 8)), box);
      widen(entry.type(), dtype_of<T>, bytes);
      return;
    }
    if (entry.type() != dtype_of<T>)
      refuse(entry, errc::dtype_mismatch,
             concat({"it holds ", ckpt::name(entry.type()), ", not ", ckpt::name(dtype_of<T>)}),
             ckpt::name(dtype_of<T>), ckpt::name(entry.type()));
    read_into(name, std::as_writable_bytes(to), box);
    if constexpr (std::same_as<T, bool>) check_bools(std::as_bytes(to), m_index.label(), name);
  }

  /// The same into what passes as a span of its elements: a vector, an array, a span of fixed extent.
  template <class List>
    requires(!std::convertible_to<List, std::span<std::byte>>)
  void read_into(std::string_view name, List&& to, const slice& box = {}) const {
    if constexpr (detail::check_list_to_fill<List>()) read_into(name, std::span<detail::span_element<List>>(to), box);
  }

  /// The same for whatever element type, as packed little-endian bytes.
  void read_into(std::string_view name, byte_span to, const slice& box = {}) const {
    const index_entry& entry = find(name);
    const std::uint64_t size = (count_of(entry, box) * info(entry.type()).bits + 7) / 8;
    if (to.size() != size) refuse_size(entry, size, to.size());
    source_window window(*m_opened.plain);
    std::byte* out = to.data();
    about(entry, [&] {
      for_each_run(entry.type(), entry.shape(), box, [&](std::uint64_t offset, std::uint64_t run) {
        read_run(window, entry, offset, out, static_cast<std::size_t>(run));
        out += run;
      });
    });
  }

 private:
  using chosen = policy_set<Policies...>;
  using opened = detail::source_of<typename chosen::cipher>;

  [[noreturn]] void refuse(const index_entry& entry, errc code, const std::string& text, std::string_view expected,
                           std::string_view found) const {
    throw mismatch_error(code,
                         {.path = m_index.label(),
                          .name = std::string(entry.name()),
                          .noun = ckpt::name(entry.kind()),
                          .expected = std::string(expected),
                          .found = std::string(found)},
                         text);
  }

  [[noreturn]] void refuse_size(const index_entry& entry, std::uint64_t size, std::size_t found) const {
    refuse(entry, errc::shape_mismatch,
           concat({"what is asked for has ", std::to_string(size), " bytes, the destination ", std::to_string(found)}),
           std::to_string(size), std::to_string(found));
  }

  /// The elements of a tensor, or of a box of it.
  [[nodiscard]] std::uint64_t count_of(const index_entry& entry, const slice& box) const {
    return about(entry, [&] { return *element_count(box.shape_in(entry.shape()).extents()); });
  }

  [[nodiscard]] const index_entry& find(std::string_view name) const {
    const index_entry& entry = m_index.at(name);
    if (entry.kind() != entry_kind::tensor)
      refuse(entry, errc::dtype_mismatch, concat({"it is a ", ckpt::name(entry.kind()), ", not a tensor"}), "tensor",
             ckpt::name(entry.kind()));
    return entry;
  }

  /// Calls what may refuse a slice, and says then which tensor it does not fit.
  template <class Call>
  std::invoke_result_t<Call&> about(const index_entry& entry, Call call) const {
    try {
      return call();
    } catch (const usage_error& e) {
      throw usage_error(e.code(), {.path = m_index.label(), .name = std::string(entry.name())}, e.what());
    }
  }

  /// Reads the bytes [offset, offset + to.size()) of a content that may lie in several extents.
  void read_run(source_window& window, const index_entry& entry, std::uint64_t offset, std::byte* to,
                std::size_t size) const {
    constexpr std::size_t large = std::size_t{64} << 10;  // smaller runs share a read through the window
    for (const extent& part : entry.extents()) {
      if (size == 0) return;
      if (offset >= part.size) {
        offset -= part.size;
        continue;
      }
      const std::uint64_t left = part.size - offset;
      const std::size_t now = left < size ? static_cast<std::size_t>(left) : size;
      if (now >= large) m_opened.plain->read(part.offset + offset, {to, now});
      else std::memcpy(to, window.at(part.offset + offset, now).data(), now);
      to += now;
      size -= now;
      offset = 0;
    }
  }

  opened m_opened;
  file_index m_index;
};

using reader = basic_reader<>;

}  // namespace ckpt

#endif
