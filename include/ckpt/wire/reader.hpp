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
/// there are up to the end. What it returned is looked at before the next call.
template <class B>
concept byte_window = requires(B& bytes, std::uint64_t offset, std::size_t want) {
  { bytes.at(offset, want) } -> std::convertible_to<sequence<std::byte>>;
};

/// The payload of a length-delimited field: the bytes [begin, begin + size) of the file.
struct payload_range {
  std::uint64_t begin = 0;
  std::uint64_t size = 0;
  [[nodiscard]] constexpr std::uint64_t end() const noexcept { return begin + size; }
};

/// Reads the fields of one protobuf message that takes the bytes [begin, end) of a file, one after the other, without
/// looking at any payload that is not asked for. Others may use the window in between. Everything throws format_error
/// with `label` and the byte.
///
///     for (reader r(bytes, label, {0, size}); r.next();)
///       if (r.number() == 1) use(r.payload()); else r.skip();
template <byte_window Bytes>
class reader {
 public:
  reader(Bytes& bytes, std::string_view label, payload_range message) noexcept
      : m_bytes(&bytes), m_label(label), m_at(message.begin), m_end(message.end()) {}

  /// Reads the key of the next field; false at the end of the message. Then one of varint(), payload() and skip().
  bool next() {
    m_field = m_at;
    if (m_at == m_end) return false;
    const std::uint64_t key = take_varint("key");
    const std::uint64_t number = key >> 3;
    if (number == 0 || number > max_field_number || (key & 7) > 5) refuse_key(key);
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
    if (size > m_end - m_at) refuse_length(size);
    const std::uint64_t begin = m_at;
    m_at += size;
    return {begin, size};
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
  }

 private:
  std::uint64_t take_varint(const char* what) {
    if (m_at < m_end) {
      const sequence<std::byte> here = m_bytes->at(m_at, 1);
      if (!here.empty() && here[0] < std::byte{0x80}) {
        ++m_at;
        return std::to_integer<std::uint64_t>(here[0]);
      }
    }
    return take_long_varint(what);
  }

  [[gnu::noinline]] std::uint64_t take_long_varint(const char* what) {  // apart, so that the short way above is inlined
    sequence<std::byte> bytes = m_bytes->at(m_at, max_varint_size);
    if (bytes.size() > m_end - m_at) bytes = bytes.first(static_cast<std::size_t>(m_end - m_at));
    const wire::varint read = read_varint(bytes);
    if (read.size == 0) {
      const bool cut = bytes.size() < max_varint_size;
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

  // Apart, so that what calls them is inlined:

  [[noreturn, gnu::noinline]] void refuse_key(std::uint64_t key) const {
    const std::uint64_t number = key >> 3;
    if (number == 0 || number > max_field_number)
      fail(errc::malformed, m_field, concat({"field number ", std::to_string(number), " is not one (1 to 536870911)"}));
    fail(errc::malformed, m_field, concat({"wire type ", std::to_string(key & 7), " does not exist"}));
  }

  [[noreturn, gnu::noinline]] void refuse_length(std::uint64_t size) const {
    fail(errc::truncated, m_field,
         concat({"field ", std::to_string(m_number), " says it has ", std::to_string(size), " bytes where ",
                 std::to_string(m_end - m_at), " are left: it was cut short or damaged"}));
  }

  [[noreturn]] void fail(errc code, std::uint64_t offset, const std::string& text) const {
    throw format_error(code, {.path = std::string(m_label), .offset = offset}, text);
  }

  Bytes* m_bytes;
  std::string_view m_label;
  std::uint64_t m_at;
  std::uint64_t m_end;
  std::uint64_t m_field = 0;
  field_number m_number = 0;
  wire_type m_type = wire_type::varint;
};

}  // namespace ckpt::wire

#endif
