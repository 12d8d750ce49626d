#ifndef CKPT_CIPHER_CONCEPT_HPP
#define CKPT_CIPHER_CONCEPT_HPP

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ckpt {

/// One of the blocks that an encryptor works on side by side: `size` bytes, the same for all, from `in` to `out`, which
/// is the same place or another that does not overlap.
struct cipher_lane {
  std::size_t number;  ///< of the block, as begin() was told
  const std::byte* in;
  std::byte* out;
};

/// The bytes that a cipher works on at once, and that the lanes of a padded one get a multiple of.
inline constexpr std::size_t cipher_unit = 16;
inline constexpr std::size_t iv_size = 16;
inline constexpr std::size_t tag_size = 16;

/// A cipher as a policy: what is done to the bytes of each block of an encrypted file. The blocks themselves, their
/// headers, their padding and the seal over all of them are not its business (docs/encryption.md).
///
/// | member                       | is                                                                               |
/// |------------------------------|----------------------------------------------------------------------------------|
/// | `name`                       | what errors and listings call it: "AES-GCM"                                      |
/// | `magic`                      | the first 32 bits of each block, unlike those of any other cipher                |
/// | `takes(size)`                | whether a key may have so many bytes                                             |
/// | `key_sizes`                  | the same for people: "16, 24 or 32 bytes"                                        |
/// | `derived_key_size`           | bytes of a key that is derived from a passphrase                                 |
/// | `is_authenticated`           | whether it makes a tag of 16 bytes for each block; else a GMAC in the seal does  |
/// | `is_padded`                  | whether it chains units of 16 bytes, as CBC does: takes multiples of 16 only,    |
/// |                              | so that each block is padded (PKCS#7), and decrypts from any unit on with the    |
/// |                              | cipher text of the unit before as iv                                             |
/// | `encryptor(key)`             | `lanes`: blocks worth working on side by side; `begin(lane, iv)` begins a block; |
/// |                              | `process(lanes, size)` goes on with some; `tag(lane, to)`, if authenticated      |
/// | `decryptor(key)`             | `begin(iv)`; `process(in, out, size)`, which do not overlap; `verify(tag)`, if   |
/// |                              | authenticated                                                                    |
///
/// Nothing but the constructors may allocate or throw. A block is processed in pieces of any size, where padded of
/// multiples of 16.
template <class C>
concept cipher_policy =
    requires(std::span<const std::byte> key, std::size_t size) {
      { C::name } -> std::convertible_to<std::string_view>;
      { C::magic } -> std::convertible_to<std::uint32_t>;
      { C::takes(size) } -> std::same_as<bool>;
      { C::key_sizes } -> std::convertible_to<std::string_view>;
      { C::derived_key_size } -> std::convertible_to<std::size_t>;
      { C::is_authenticated } -> std::convertible_to<bool>;
      { C::is_padded } -> std::convertible_to<bool>;
      typename C::encryptor;
      typename C::decryptor;
      { C::encryptor::lanes } -> std::convertible_to<std::size_t>;
    } && std::constructible_from<typename C::encryptor, std::span<const std::byte>> &&
    std::constructible_from<typename C::decryptor, std::span<const std::byte>> &&
    requires(typename C::encryptor& to, typename C::decryptor& from, std::span<const std::byte, iv_size> iv,
             std::span<const cipher_lane> lanes, const std::byte* in, std::byte* out, std::size_t size) {
      to.begin(size, iv);
      to.process(lanes, size);
      from.begin(iv);
      from.process(in, out, size);
    } &&
    (!C::is_authenticated || requires(typename C::encryptor& to, typename C::decryptor& from, std::size_t lane,
                                      std::span<std::byte, tag_size> tag, std::span<const std::byte, tag_size> given) {
      to.tag(lane, tag);
      { from.verify(given) } -> std::same_as<bool>;
    });

}  // namespace ckpt

#endif
