#ifndef CKPT_CIPHER_SEAL_HPP
#define CKPT_CIPHER_SEAL_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <ckpt/cipher/block.hpp>
#include <ckpt/cipher/concept.hpp>
#include <ckpt/cipher/cryptopp.hpp>
#include <ckpt/cipher/secret_key.hpp>
#include <ckpt/core/byte_order.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/wire/field.hpp>
#include <ckpt/wire/writer.hpp>

namespace ckpt {

/// scrypt's cost for keys from passphrases: 128 MiB of memory and a third of a second, for whoever tries one.
inline constexpr std::uint64_t scrypt_cost = std::uint64_t{1} << 17;
inline constexpr std::uint64_t scrypt_block_size = 8;
inline constexpr std::uint64_t scrypt_parallelization = 1;

/// The key that a cipher is given for a file: the key itself, or the one derived from a passphrase with the first iv of
/// the file as salt. Throws usage_error, for `path`, where there is no key or the cipher does not take it.
template <cipher_policy Cipher>
[[nodiscard]] secret_bytes file_key(const secret_key* given, std::span<const std::byte, iv_size> first_iv,
                                    const std::string& path) {
  if (given == nullptr)
    throw usage_error(errc::key, {.path = path}, concat({Cipher::name, " needs a key: give one as {.key = key}"}));
  if (given->bytes().empty())
    throw usage_error(errc::key, {.path = path}, "the key is empty: it was made of nothing, or moved from");
  if (given->is_passphrase()) {
    secret_bytes derived(Cipher::derived_key_size);
    cryptopp::scrypt(derived.bytes(), given->bytes(), first_iv, scrypt_cost, scrypt_block_size, scrypt_parallelization);
    return derived;
  }
  const std::size_t size = given->bytes().size();
  if (!Cipher::takes(size))
    throw usage_error(
        errc::key,
        {.path = path, .expected = std::string(Cipher::key_sizes), .found = concat({std::to_string(size), " bytes"})},
        concat({"the key has ", std::to_string(size), " bytes; ", Cipher::name, " takes ", Cipher::key_sizes}));
  return secret_bytes(given->bytes());
}

/// PKCS#7: fills what of `text` comes after the `used` plain bytes.
inline void pad(std::span<std::byte> text, std::size_t used) noexcept {
  std::memset(text.data() + used, static_cast<int>(text.size() - used), text.size() - used);
}

/// What of one block the seal vouches for.
struct sealed_block {
  std::uint64_t offset = 0;       ///< of the header in the file
  std::uint64_t plain_begin = 0;  ///< where the plain bytes of the block stand among those of all
  std::uint32_t cipher_size = 0;
  std::array<std::byte, iv_size> iv{};
  std::array<std::byte, tag_size> mac{};  ///< the cipher's own tag, or else the GMAC of header and cipher text
};

/// In the place of a MAC, for ciphers that make a tag of their own.
struct no_mac {
  explicit no_mac(std::span<const std::byte> /*key*/) {}
  void begin(std::uint64_t /*number*/) {}
  void update(std::span<const std::byte> /*bytes*/) {}
};

/// What authenticates the blocks of a cipher beside the cipher itself.
template <cipher_policy Cipher>
using block_mac = std::conditional_t<Cipher::is_authenticated, no_mac, cryptopp::gmac>;

/// The keys that the seal of a file is made with: of the file's key, by HKDF-SHA256 with the first iv of the file as
/// salt, so that neither the key itself nor the keys of two files are ever used for both.
class seal_keys {
 public:
  seal_keys(std::span<const std::byte> key, std::span<const std::byte, iv_size> first_iv) {
    cryptopp::hkdf(m_seal.bytes(), key, first_iv, std::string_view("ckpt seal HMAC-SHA256"));
    cryptopp::hkdf(m_block.bytes(), key, first_iv, std::string_view("ckpt seal GMAC"));
  }

  /// Of the HMAC over the whole.
  [[nodiscard]] std::span<const std::byte> seal() const noexcept { return m_seal.bytes(); }
  /// Of the GMAC over each block, for ciphers that do not authenticate.
  [[nodiscard]] std::span<const std::byte> block() const noexcept { return m_block.bytes(); }

 private:
  secret_bytes m_seal{32};
  secret_bytes m_block{32};
};

/// The last block of a sealed file, in plain: one field that no message of MindSpore's has, so that its reader passes
/// over it. docs/encryption.md has the bytes and the reasons.
///
///     key and length   of field 1001, length-delimited
///     8 bytes          "ckptseal"
///     u64 LE           number of the blocks before this one
///     u64 LE           number of their plain bytes
///     16 bytes each    their GMACs, where the cipher does not authenticate
///     any bytes        the structure of the file (structure.hpp); none where it would be large
///     32 bytes         HMAC-SHA256 over "ckptseal", the cipher's magic (u32 LE), both numbers, the iv of this block;
///                      of each block before it, the tag or GMAC (16 bytes), the iv (16 bytes) and the size of the
///                      cipher text (u32 LE); and the structure
template <cipher_policy Cipher>
class seal {
 public:
  static constexpr wire::field_number field = 1001;
  static constexpr std::string_view magic = "ckptseal";

  /// Bytes of the seal of so many blocks, with a structure of so many bytes.
  [[nodiscard]] static constexpr std::uint64_t size(std::uint64_t blocks, std::uint64_t structure) noexcept {
    return wire::delimited_size(field, payload_size(blocks, structure));
  }

  /// Fills `to`, of size(blocks.size(), structure.size()) bytes. `iv` is that of the block of the seal. Allocates
  /// nothing.
  static void write(std::span<std::byte> to, std::span<const sealed_block> blocks, std::uint64_t plain_size,
                    std::span<const std::byte> structure, std::span<const std::byte, iv_size> iv,
                    cryptopp::hmac_sha256& hmac) {
    wire::writer writer(to.data());
    writer.delimited_header(field, payload_size(blocks.size(), structure.size()));
    std::byte* at = writer.position();
    std::memcpy(at, magic.data(), magic.size());
    store_le(at + magic.size(), std::uint64_t{blocks.size()});
    store_le(at + magic.size() + 8, plain_size);
    at += fixed_size;
    if (!Cipher::is_authenticated)
      for (const sealed_block& block : blocks) {
        std::memcpy(at, block.mac.data(), block.mac.size());
        at += block.mac.size();
      }
    if (!structure.empty()) std::memcpy(at, structure.data(), structure.size());
    at += structure.size();
    authenticate(std::span<std::byte, cryptopp::hmac_sha256::size>(at, cryptopp::hmac_sha256::size), blocks, plain_size,
                 structure, iv, hmac);
  }

  /// Whether the plain bytes of a block are those of a seal, right or wrong.
  [[nodiscard]] static bool is_one(std::span<const std::byte> plain) noexcept {
    std::array<std::byte, wire::varint_size(wire::key(field, wire::wire_type::length_delimited))> start;
    wire::write_varint(start.data(), wire::key(field, wire::wire_type::length_delimited));
    if (plain.size() < start.size() || std::memcmp(plain.data(), start.data(), start.size()) != 0) return false;
    const wire::varint length = wire::read_varint(plain.subspan(start.size()));
    const std::size_t payload = start.size() + length.size;
    return length.size != 0 && length.size == wire::varint_size(length.value) &&
           plain.size() >= payload + magic.size() &&
           std::memcmp(plain.data() + payload, magic.data(), magic.size()) == 0;
  }

  /// What a seal says, once check() has found it to be right.
  struct content {
    std::uint64_t plain_size = 0;
    std::vector<std::byte> structure{};
  };

  /// Compares the plain bytes of a seal, padding and all, with what is known of the blocks; is_one() must hold. Where
  /// the cipher does not authenticate, takes the GMACs of the blocks from it. False where anything differs.
  [[nodiscard]] static bool check(std::span<const std::byte> plain, std::span<sealed_block> blocks,
                                  std::span<const std::byte, iv_size> iv, const seal_keys& keys, content& found) {
    constexpr std::size_t key_size = wire::varint_size(wire::key(field, wire::wire_type::length_delimited));
    const std::uint64_t payload_bytes = wire::read_varint(plain.subspan(key_size)).value;
    const std::uint64_t without_structure = payload_size(blocks.size(), 0);
    if (payload_bytes < without_structure || payload_bytes > plain.size()) return false;
    const auto structure_size = static_cast<std::size_t>(payload_bytes - without_structure);
    const std::uint64_t used = size(blocks.size(), structure_size);
    if (block_layout<Cipher>::cipher_size(used) != plain.size()) return false;
    const std::byte* const payload = plain.data() + (used - payload_bytes);
    found.plain_size = load_le<std::uint64_t>(payload + magic.size() + 8);
    const std::byte* structure = payload + fixed_size;
    if (!Cipher::is_authenticated)
      for (sealed_block& block : blocks) {
        std::memcpy(block.mac.data(), structure, tag_size);
        structure += tag_size;
      }
    found.structure.assign(structure, structure + structure_size);
    secret_bytes expected(plain.size());
    cryptopp::hmac_sha256 hmac(keys.seal());
    write(expected.bytes().first(static_cast<std::size_t>(used)), blocks, found.plain_size, found.structure, iv, hmac);
    pad(expected.bytes(), static_cast<std::size_t>(used));
    return cryptopp::equal(expected.bytes(), plain);
  }

 private:
  static constexpr std::size_t fixed_size = magic.size() + 8 + 8;

  [[nodiscard]] static constexpr std::uint64_t payload_size(std::uint64_t blocks, std::uint64_t structure) noexcept {
    return fixed_size + (Cipher::is_authenticated ? 0 : blocks * tag_size) + structure + cryptopp::hmac_sha256::size;
  }

  static void authenticate(std::span<std::byte, cryptopp::hmac_sha256::size> to, std::span<const sealed_block> blocks,
                           std::uint64_t plain_size, std::span<const std::byte> structure,
                           std::span<const std::byte, iv_size> iv, cryptopp::hmac_sha256& hmac) {
    std::array<std::byte, magic.size() + 4 + 8 + 8 + iv_size> head;
    std::memcpy(head.data(), magic.data(), magic.size());
    store_le(&head[magic.size()], std::uint32_t{Cipher::magic});
    store_le(&head[magic.size() + 4], std::uint64_t{blocks.size()});
    store_le(&head[magic.size() + 12], plain_size);
    std::memcpy(&head[magic.size() + 20], iv.data(), iv_size);
    hmac.update(head);
    for (const sealed_block& block : blocks) {
      std::array<std::byte, tag_size + iv_size + 4> one;
      std::memcpy(&one[0], block.mac.data(), tag_size);
      std::memcpy(&one[tag_size], block.iv.data(), iv_size);
      store_le(&one[tag_size + iv_size], block.cipher_size);
      hmac.update(one);
    }
    hmac.update(structure);
    hmac.finish(to);
  }
};

}  // namespace ckpt

#endif
