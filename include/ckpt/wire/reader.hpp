#ifndef CKPT_WIRE_READER_HPP
#define CKPT_WIRE_READER_HPP

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/wire/field.hpp>
#include <ckpt/wire/varint.hpp>

namespace ckpt::wire {

/// Bytes that can be looked at in any place: at(offset, want) returns at least `want` bytes from `offset` on, or all
/// there are up to the end. Unless is_stable(), what it returned is gone with the next call.
template <class B>
concept byte_window = requires(B& bytes, std::uint64_t offset, std::size_t want) {
  { bytes.at(offset, want) } -> std::convertible_to<sequence<std::byte>>;
  { bytes.is_stable() } -> std::same_as<bool>;
};

/// The payload of a length-delimited field: the bytes [begin, end) of the file.
struct payload_range {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  [[nodiscard]] constexpr std::uint64_t size() const noexcept { return end - begin; }
};

/// Reads the fields of one protobuf message that takes the bytes [begin, end) of a file, one after the other, without
/// looking at any payload that is not asked for. Others may use the window after a call of payload() or skip(), not
/// between next() and varint() or after varint(). Everything throws format_error with `label` and the byte.
///
///     for (reader r(bytes, label, {0, size}); r.next();)
///       if (r.number() == 1) use(r.payload()); else r.skip();
template <byte_window Bytes>
class reader {
 public:
  reader(Bytes& bytes, std::string_view label, payload_range message) noexcept
      : m_bytes(&bytes), m_label(label), m_at(message.begin), m_end(message.end) {}

  /// Reads the key of the next field; false at the end of the message. Then one of varint(), payload() and skip().
  bool next() {
    m_field = m_at;
    if (m_at == m_end) return false;
    const std::uint64_t key = take_varint("key");
    const std::uint64_t number = key >> 3;
    if (number == 0 || number > max_field_number)
      fail(errc::malformed, m_field, concat({"field number ", std::to_string(number), " is not one (1 to 536870911)"}));
    if ((key & 7) > 5)
      fail(errc::malformed, m_field, concat({"wire type ", std::to_string(key & 7), " does not exist"}));
    m_number = static_cast<field_number>(number);
    m_type = static_cast<wire_type>(key & 7);
    return true;
  }

  [[nodiscard]] field_number number() const noexcept { return m_number; }
  [[nodiscard]] wire_type type() const noexcept { return m_type; }
  /// Where the key of the current field stands; after the last field, the end of the message.
  [[nodiscard]] std::uint64_t field_offset() const noexcept { return m_field; }
  /// Where the next byte to read stands.
  [[nodiscard]] std::uint64_t position() const noexcept { return m_at; }

  /// The value of a field of wire type varint.
  std::uint64_t varint() { return take_varint("value"); }

  /// The payload of a length-delimited field; reading goes on after it.
  payload_range payload() {
    const std::uint64_t size = take_varint("length");
    if (size > m_end - m_at)
      fail(errc::truncated, m_field,
           concat({"field ", std::to_string(m_number), " says it has ", std::to_string(size), " bytes where ",
                   std::to_string(m_end - m_at), " are left: it was cut short or damaged"}));
    const payload_range range{m_at, m_at + size};
    m_at = range.end;
    if (!m_bytes->is_stable()) m_view = {};
    return range;
  }

  /// Passes over the field, whatever it is; groups without recursion.
  void skip() {
    std::array<field_number, max_group_depth> open{};
    std::size_t depth = 0;
    const std::uint64_t start = m_field;
    for (;;) {
      switch (m_type) {
        case wire_type::varint: take_varint("value"); break;
        case wire_type::fixed64: skip_bytes(8); break;
        case wire_type::fixed32: skip_bytes(4); break;
        case wire_type::length_delimited: payload(); break;
        case wire_type::start_group:
          if (depth == max_group_depth) fail(errc::malformed, m_field, "groups are nested deeper than 100");
          open[depth++] = m_number;
          break;
        case wire_type::end_group:
          if (depth == 0 || open[depth - 1] != m_number)
            fail(errc::malformed, m_field,
                 concat({"the end of group ", std::to_string(m_number), " has no beginning"}));
          --depth;
          break;
      }
      if (depth == 0) break;
      if (!next()) fail(errc::truncated, start, concat({"group ", std::to_string(open[depth - 1]), " has no end"}));
    }
    m_field = start;
    if (!m_bytes->is_stable()) m_view = {};
  }

 private:
  std::uint64_t take_varint(const char* what) {
    const std::uint64_t at = m_at - m_view_begin;  // past any view where m_at lies before it
    if (at < m_view.size() && m_view[static_cast<std::size_t>(at)] < std::byte{0x80}) {
      ++m_at;
      return std::to_integer<std::uint64_t>(m_view[static_cast<std::size_t>(at)]);
    }
    return take_any_varint(what);
  }

  [[gnu::noinline]] std::uint64_t take_any_varint(const char* what) {  // apart, so that the short way above is inlined
    m_view = m_bytes->at(m_at, max_varint_size);
    m_view_begin = m_at;
    if (m_view.size() > m_end - m_at) m_view = m_view.first(static_cast<std::size_t>(m_end - m_at));
    const wire::varint read = read_varint(m_view);
    if (read.size == 0) {
      const bool cut = m_view.size() < max_varint_size;
      fail(cut ? errc::truncated : errc::malformed, m_at,
           concat({"the varint of a ", what, cut ? " is cut short" : " passes 64 bits"}));
    }
    m_at += read.size;
    return read.value;
  }

  void skip_bytes(std::uint64_t size) {
    if (size > m_end - m_at)
      fail(errc::truncated, m_field, concat({"field ", std::to_string(m_number), " is cut short"}));
    m_at += size;
  }

  [[noreturn]] void fail(errc code, std::uint64_t offset, const std::string& text) const {
    throw format_error(code, {.path = std::string(m_label), .offset = offset}, text);
  }

  Bytes* m_bytes;
  std::string_view m_label;
  std::uint64_t m_at;
  std::uint64_t m_end;
  sequence<std::byte> m_view;  // of the message, from m_view_begin on
  std::uint64_t m_view_begin = 0;
  std::uint64_t m_field = 0;
  field_number m_number = 0;
  wire_type m_type = wire_type::varint;
};

}  // namespace ckpt::wire

#endif
