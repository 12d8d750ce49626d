#ifndef CKPT_CHECKSUM_CONCEPT_HPP
#define CKPT_CHECKSUM_CONCEPT_HPP

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ckpt {

/// A checksum as a policy: 32 bits over the bytes of a file. MindSpore reads and verifies CRC-32 (IEEE 802.3, as
/// zlib's) and no other; with one of your own, only this library does.
///
/// | expression                    | is                                                                             |
/// |-------------------------------|--------------------------------------------------------------------------------|
/// | `C::name`                     | what listings call it: "crc32"                                                 |
/// | `C()`, `C(value)`             | one over nothing; one that goes on after bytes whose checksum was `value`      |
/// | `c.update(bytes)`             | takes more bytes                                                               |
/// | `c.value()`                   | the checksum of all bytes so far                                               |
/// | `C::combine(a, b, b_size)`    | the checksum of bytes whose first part has checksum `a` and whose second part, |
/// |                               | `b_size` bytes, has checksum `b`                                               |
/// | `C::companion`                | may be missing: ckpt::companion of task/, by which a save sums on a second     |
/// |                               | thread what it writes meanwhile; else the thread that writes sums, too         |
///
/// None of them may allocate or throw.
template <class C>
concept checksum_policy =
    std::default_initializable<C> && std::constructible_from<C, std::uint32_t> &&
    requires(C& sum, const C& done, std::span<const std::byte> bytes, std::uint32_t value, std::uint64_t size) {
      { C::name } -> std::convertible_to<std::string_view>;
      sum.update(bytes);
      { done.value() } -> std::same_as<std::uint32_t>;
      { C::combine(value, value, size) } -> std::same_as<std::uint32_t>;
    };

}  // namespace ckpt

#endif
