#ifndef CKPT_WIRE_WRITER_HPP
#define CKPT_WIRE_WRITER_HPP

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <ckpt/wire/field.hpp>
#include <ckpt/wire/varint.hpp>

namespace ckpt::wire {

/// Writes fields one after the other into memory that is known to be large enough: compute the sizes first.
class writer {
 public:
  constexpr explicit writer(std::byte* to) noexcept : m_to(to) {}

  constexpr void varint_field(field_number number, std::uint64_t value) noexcept {
    m_to = write_varint(m_to, key(number, wire_type::varint));
    m_to = write_varint(m_to, value);
  }

  /// Key and length; the payload of `size` bytes is what the caller writes next.
  constexpr void delimited_header(field_number number, std::uint64_t size) noexcept {
    m_to = write_varint(m_to, key(number, wire_type::length_delimited));
    m_to = write_varint(m_to, size);
  }

  constexpr void text_field(field_number number, std::string_view text) noexcept {
    delimited_header(number, text.size());
    for (const char c : text) *m_to++ = static_cast<std::byte>(c);
  }

  constexpr void zeros(std::uint64_t size) noexcept {
    for (; size > 0; --size) *m_to++ = std::byte{0};
  }

  /// The place after what was written.
  [[nodiscard]] constexpr std::byte* position() const noexcept { return m_to; }

 private:
  std::byte* m_to;
};

}  // namespace ckpt::wire

#endif
