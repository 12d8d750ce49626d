#ifndef CKPT_CIPHER_ENCRYPTED_BLOCKS_HPP
#define CKPT_CIPHER_ENCRYPTED_BLOCKS_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ckpt/cipher/block.hpp>
#include <ckpt/cipher/concept.hpp>
#include <ckpt/cipher/decryption.hpp>
#include <ckpt/cipher/known_ciphers.hpp>
#include <ckpt/cipher/seal.hpp>
#include <ckpt/cipher/secret_key.hpp>
#include <ckpt/core/byte_order.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/io/source.hpp>

namespace ckpt {

/// The blocks of an encrypted file, by their headers and the seal: where each lies, which plain bytes it holds, and
/// what it is known by. None of them is decrypted but the seal and, where there is none and that is allowed, a few
/// bytes.
template <cipher_policy Cipher>
class encrypted_blocks {
 public:
  /// Reads the headers of all blocks, and the seal. `file` must outlive this. Throws usage_error where there is
  /// no key or none that the cipher takes; format_error where the file is not encrypted, or with another cipher, or its
  /// blocks do not fill it exactly; integrity_error where the key is another, or the seal is not over these blocks, or
  /// there is none and that is not allowed (where it is not, and the cipher does not authenticate, one error for all).
  encrypted_blocks(const source& file, const decryption& how) : m_file(&file) {
    check_start();
    find_blocks();
    m_key = file_key<Cipher>(how.key, m_blocks.front().iv, file.label());
    const seal_keys keys(m_key.bytes(), m_blocks.front().iv);
    m_is_sealed = check_seal(keys, how.allow_unsealed);
    if (!m_is_sealed) {
      if (!how.allow_unsealed) refuse_unsealed();
      require_right_key();
    }
    if (m_is_sealed && !Cipher::is_authenticated) m_mac_key = secret_bytes(keys.block());
    place_blocks();
  }

  [[nodiscard]] bool is_sealed() const noexcept { return m_is_sealed; }
  /// The plain bytes without the content of tensors (structure.hpp), where the seal has them; else nothing.
  [[nodiscard]] sequence<std::byte> structure() const noexcept { return m_structure; }

  /// Of the cipher.
  [[nodiscard]] std::span<const std::byte> key() const noexcept { return m_key.bytes(); }
  /// Of the GMACs of the blocks; empty where they have none.
  [[nodiscard]] std::span<const std::byte> mac_key() const noexcept { return m_mac_key.bytes(); }

  /// How many blocks there are, the seal not among them.
  [[nodiscard]] std::size_t count() const noexcept { return m_blocks.size(); }
  [[nodiscard]] const sealed_block& operator[](std::size_t number) const noexcept { return m_blocks[number]; }

  /// The plain bytes of all blocks.
  [[nodiscard]] std::uint64_t plain_size() const noexcept { return m_size; }
  /// Where the plain bytes of a block end.
  [[nodiscard]] std::uint64_t end_of(std::size_t number) const noexcept {
    return number + 1 < m_blocks.size() ? m_blocks[number + 1].plain_begin : m_size;
  }
  /// The plain bytes of one.
  [[nodiscard]] std::uint64_t plain_size(std::size_t number) const noexcept {
    return end_of(number) - m_blocks[number].plain_begin;
  }

  /// The block that holds the plain byte at `offset`.
  [[nodiscard]] std::size_t block_at(std::uint64_t offset) const noexcept {
    const auto after =
        std::upper_bound(m_blocks.begin(), m_blocks.end(), offset,
                         [](std::uint64_t place, const sealed_block& block) { return place < block.plain_begin; });
    return static_cast<std::size_t>(after - m_blocks.begin()) - 1;
  }

  /// The plain bytes of the blocks from `number` on that lie in the `size` bytes from `offset` on, if it begins there.
  [[nodiscard]] std::size_t whole_blocks(std::size_t number, std::uint64_t offset, std::size_t size) const noexcept {
    if (m_blocks[number].plain_begin != offset) return 0;
    std::size_t whole = 0;
    for (; number < m_blocks.size() && plain_size(number) <= size - whole; ++number)
      whole += static_cast<std::size_t>(plain_size(number));
    return whole;
  }

  /// Throws integrity_error: the block is not the one that was written.
  [[noreturn]] void refuse_block(std::size_t number) const {
    // A seal that was checked shows that the key is right.
    if (m_is_sealed)
      throw integrity_error(errc::authentication, {.path = m_file->label(), .offset = m_blocks[number].offset},
                            concat({"block ", std::to_string(number + 1), " of ", std::to_string(m_blocks.size()),
                                    " is damaged: its bytes are not those that were written"}));
    throw integrity_error(errc::key, {.path = m_file->label(), .offset = m_blocks[number].offset},
                          concat({wrong_key, ", or block ", std::to_string(number + 1), " of ",
                                  std::to_string(m_blocks.size()), " is damaged"}));
  }

 private:
  using layout = block_layout<Cipher>;
  using header = block_header<Cipher>;

  static constexpr std::size_t peeked = 32;  // bytes at the beginning of a block that tell a seal, or a wrong key
  static constexpr std::string_view wrong_key = "the key is not the one that the file was encrypted with";

  /// Of a cipher that does not authenticate, the same whatever the last block decrypts to, and the first is not looked
  /// at: an answer to either would tell whoever sends us files of his own making what the bytes of others are, one
  /// after the other.
  [[noreturn]] void refuse_unsealed() const {
    constexpr std::string_view advice = "where you trust it, load it with .allow_unsealed = true";
    if constexpr (Cipher::is_authenticated)
      throw integrity_error(errc::unsealed, {.path = m_file->label()},
                            concat({"the file is not sealed: nothing shows that its blocks are all there and in place. "
                                    "MindSpore's own files are such; ",
                                    advice}));
    else
      throw integrity_error(
          errc::unsealed, {.path = m_file->label()},
          concat({wrong_key,
                  ", or its blocks are not all there, in place and as they were written, or it is not "
                  "sealed. MindSpore's own files are not; ",
                  advice}));
  }

  void check_start() const {
    std::array<std::byte, 4> magic{};
    if (m_file->size() >= magic.size()) {
      m_file->read(0, magic);
      if (load_le<std::uint32_t>(magic.data()) == Cipher::magic) return;
    }
    if (const known_cipher* const other = find_cipher(magic))
      throw format_error(
          errc::encrypted,
          {.path = m_file->label(), .expected = std::string(Cipher::name), .found = std::string(other->name)},
          concat({"the file is encrypted with ", other->name, ", not with ", Cipher::name, ": load it with ",
                  other->policy}));
    throw format_error(errc::not_encrypted, {.path = m_file->label()},
                       "the file is not encrypted: load it without a cipher and a key");
  }

  void find_blocks() {
    for (std::uint64_t offset = 0; offset < m_file->size();) {
      const std::uint64_t left = m_file->size() - offset;
      if (left < layout::header_size)
        throw format_error(
            errc::truncated, {.path = m_file->label(), .offset = offset},
            concat({"the header of a block has ", std::to_string(std::uint64_t{layout::header_size}), " bytes where ",
                    std::to_string(left), " are left: the file was cut short or damaged"}));
      header head;
      m_file->read(offset, head.bytes());
      head.validate(m_file->label(), offset, left);
      sealed_block& next = m_blocks.emplace_back();
      next.offset = offset;
      next.cipher_size = head.cipher_size();
      std::memcpy(next.iv.data(), head.iv().data(), iv_size);
      if constexpr (Cipher::is_authenticated) std::memcpy(next.mac.data(), head.tag().data(), tag_size);
      offset += layout::header_size + next.cipher_size;
    }
  }

  /// Whether the last block is a seal; then it is taken off the blocks. Throws integrity_error where it is one, but not
  /// over these blocks.
  bool check_seal(const seal_keys& keys, bool may_tell) {
    const sealed_block last = m_blocks.back();
    const std::span<sealed_block> others(m_blocks.data(), m_blocks.size() - 1);
    if constexpr (!Cipher::is_authenticated)
      if (!seal<Cipher>::is_one(decrypt_start(last))) return false;
    std::vector<std::byte> text(last.cipher_size);
    std::vector<std::byte> plain(last.cipher_size);
    m_file->read(last.offset + layout::header_size, text);
    typename Cipher::decryptor cipher(m_key.bytes());
    cipher.begin(last.iv);
    cipher.process(text.data(), plain.data(), text.size());
    if constexpr (Cipher::is_authenticated) {
      if (!cipher.verify(last.mac)) refuse_block(m_blocks.size() - 1);
      if (!seal<Cipher>::is_one(plain)) return false;
    }
    typename seal<Cipher>::content said;
    if (!seal<Cipher>::check(plain, others, last.iv, keys, said)) {
      if (!Cipher::is_authenticated && !may_tell) refuse_unsealed();
      throw integrity_error(errc::authentication, {.path = m_file->label(), .offset = last.offset},
                            "the seal is not over these blocks: one was damaged, dropped, exchanged or put in, or the "
                            "seal itself was damaged");
    }
    m_size = said.plain_size;
    m_structure = std::move(said.structure);
    m_seal_offset = last.offset;
    m_blocks.pop_back();
    return true;
  }

  /// Throws integrity_error where an unsealed file of a cipher that does not authenticate, decrypted, does not begin as
  /// every ckpt file does: with a value (0x0a), its length, and its tag (0x0a).
  void require_right_key() const {
    if constexpr (!Cipher::is_authenticated) {
      const std::array<std::byte, peeked> plain = decrypt_start(m_blocks.front());
      std::size_t tag = 1;
      while (tag < 11 && plain[tag] >= std::byte{0x80}) ++tag;
      if (plain[0] != std::byte{0x0a} || plain[tag + 1] != std::byte{0x0a})
        throw integrity_error(errc::key, {.path = m_file->label()}, wrong_key);
    }
  }

  /// The first plain bytes of a block of a cipher that does not authenticate, as far as there are any.
  [[nodiscard]] std::array<std::byte, peeked> decrypt_start(const sealed_block& block) const {
    std::array<std::byte, peeked> plain{};
    const std::size_t size = block.cipher_size < peeked ? block.cipher_size : peeked;
    decrypt_few(block.offset + layout::header_size, block.iv, std::span(plain).first(size));
    return plain;
  }

  /// Decrypts the few bytes of cipher text that stand at `offset` in the file, of a cipher that does not authenticate.
  void decrypt_few(std::uint64_t offset, std::span<const std::byte, iv_size> iv, std::span<std::byte> to) const {
    std::array<std::byte, peeked> text;
    m_file->read(offset, std::span(text).first(to.size()));
    typename Cipher::decryptor cipher(m_key.bytes());
    cipher.begin(iv);
    cipher.process(text.data(), to.data(), to.size());
  }

  /// Finds the plain size of each block: that of its cipher text less the padding, of which a seal leaves no doubt.
  void place_blocks() {
    const std::uint64_t sealed_size = m_size;
    m_size = 0;
    for (std::size_t number = 0; number < m_blocks.size(); ++number) {
      sealed_block& block = m_blocks[number];
      block.plain_begin = m_size;
      std::uint64_t plain = block.cipher_size;
      if (Cipher::is_padded && !m_is_sealed) plain -= padding_of(number);
      if (Cipher::is_padded && m_is_sealed)
        plain = number + 1 < m_blocks.size() ? plain - cipher_unit : sealed_size - m_size;
      m_size += plain;
      if (layout::cipher_size(plain) != block.cipher_size)
        throw integrity_error(errc::authentication, {.path = m_file->label(), .offset = block.offset},
                              "the seal does not give the blocks of this file their sizes");
    }
    if (m_is_sealed && m_size != sealed_size)
      throw integrity_error(errc::authentication, {.path = m_file->label(), .offset = m_seal_offset},
                            concat({"the blocks have ", std::to_string(m_size), " plain bytes, the seal says ",
                                    std::to_string(sealed_size)}));
  }

  /// Bytes of padding at the end of a block that no seal says it of.
  [[nodiscard]] std::uint64_t padding_of(std::size_t number) const {
    const sealed_block& block = m_blocks[number];
    std::array<std::byte, cipher_unit> before = block.iv;
    std::array<std::byte, cipher_unit> plain;
    const std::uint64_t end = block.offset + layout::header_size + block.cipher_size;
    if (block.cipher_size > cipher_unit) m_file->read(end - 2 * cipher_unit, before);
    decrypt_few(end - cipher_unit, before, plain);
    const auto padding = std::to_integer<std::size_t>(plain.back());
    bool is_good = padding >= 1 && padding <= cipher_unit;
    for (std::size_t i = 0; is_good && i < padding; ++i) is_good = plain[cipher_unit - 1 - i] == plain.back();
    if (!is_good) refuse_block(number);
    return padding;
  }

  const source* m_file;
  secret_bytes m_key;
  secret_bytes m_mac_key;
  std::vector<sealed_block> m_blocks;
  std::uint64_t m_size = 0;
  std::vector<std::byte> m_structure;
  std::uint64_t m_seal_offset = 0;
  bool m_is_sealed = false;
};

}  // namespace ckpt

#endif
