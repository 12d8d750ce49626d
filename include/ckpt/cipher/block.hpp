#ifndef CKPT_CIPHER_BLOCK_HPP
#define CKPT_CIPHER_BLOCK_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include <ckpt/cipher/concept.hpp>
#include <ckpt/core/byte_order.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>

namespace ckpt {

/// Bytes of the largest blocks. MindSpore has 64 MiB of plain bytes in each but the last; its reader, and this one,
/// take blocks of any size.
inline constexpr std::size_t largest_block = std::size_t{64} << 20;

/// How a block of an encrypted file is laid out (mindspore/ccsrc/utils/crypto.cc):
///
///     int32 LE   magic, the cipher's
///     16 bytes   tag, of an authenticated cipher only
///     int32 LE   bytes that follow the next number's place: 4 + 16 + 4 + those of the cipher text
///     int32 LE   bytes of the iv, 16
///     16 bytes   iv
///     int32 LE   bytes of the cipher text
///     bytes      cipher text
template <class Cipher>
struct block_layout {
  static constexpr std::size_t tag_begin = 4;
  static constexpr std::size_t size_begin = tag_begin + (Cipher::is_authenticated ? tag_size : 0);
  static constexpr std::size_t iv_begin = size_begin + 8;
  static constexpr std::size_t header_size = iv_begin + iv_size + 4;

  /// Bytes of the cipher text of so many plain bytes.
  [[nodiscard]] static constexpr std::uint64_t cipher_size(std::uint64_t plain) noexcept {
    return Cipher::is_padded ? plain / cipher_unit * cipher_unit + cipher_unit : plain;
  }
  [[nodiscard]] static constexpr std::uint64_t block_size(std::uint64_t plain) noexcept {
    return header_size + cipher_size(plain);
  }

  /// Plain bytes of every block but the last of a file of `size` plain bytes: as many as make one of whole MiB, so that
  /// blocks lie in the file as its pages do. Few, of 2 MiB, so that each core has several to encrypt side by side, all
  /// cores are busy to the end, and who reads one tensor decrypts little else; but of a file of more than 512 MiB a
  /// 256th, for each block has a header that is looked for.
  [[nodiscard]] static constexpr std::uint64_t plain_block_size(std::uint64_t size) noexcept {
    constexpr std::uint64_t unit = std::uint64_t{1} << 20;
    const std::uint64_t part = (size / 256 + unit - 1) / unit * unit;
    return std::clamp(part, 2 * unit, std::uint64_t{largest_block}) - block_size(0);
  }
};

/// What stands before the cipher text of a block.
template <class Cipher>
class block_header {
 public:
  using layout = block_layout<Cipher>;

  block_header() = default;
  /// The tag is set later. `cipher_size` fits in 31 bits.
  constexpr block_header(std::uint32_t cipher_size, std::span<const std::byte, iv_size> iv) noexcept {
    store_le(&m_bytes[0], std::uint32_t{Cipher::magic});
    store_le(&m_bytes[layout::size_begin], static_cast<std::uint32_t>(around_text + cipher_size));
    store_le(&m_bytes[layout::size_begin + 4], static_cast<std::uint32_t>(iv_size));
    for (std::size_t i = 0; i < iv_size; ++i) m_bytes[layout::iv_begin + i] = iv[i];
    store_le(&m_bytes[layout::iv_begin + iv_size], cipher_size);
  }

  [[nodiscard]] std::span<std::byte, layout::header_size> bytes() noexcept { return m_bytes; }
  [[nodiscard]] std::span<const std::byte, layout::header_size> bytes() const noexcept { return m_bytes; }
  [[nodiscard]] std::span<std::byte, tag_size> tag() noexcept
    requires(Cipher::is_authenticated)
  {
    return bytes().template subspan<layout::tag_begin, tag_size>();
  }
  [[nodiscard]] std::span<const std::byte, tag_size> tag() const noexcept
    requires(Cipher::is_authenticated)
  {
    return bytes().template subspan<layout::tag_begin, tag_size>();
  }
  [[nodiscard]] std::span<const std::byte, iv_size> iv() const noexcept {
    return bytes().template subspan<layout::iv_begin, iv_size>();
  }
  [[nodiscard]] std::uint32_t cipher_size() const noexcept {
    return load_le<std::uint32_t>(&m_bytes[layout::iv_begin + iv_size]);
  }

  /// Throws format_error unless the numbers agree with each other and with the `left` bytes of the file from `offset`
  /// on, where the header stands; integrity_error where the magic is none of this cipher's.
  void validate(const std::string& path, std::uint64_t offset, std::uint64_t left) const {
    const auto refuse = [&](errc code, std::uint64_t at, const std::string& text) {
      throw format_error(code, {.path = path, .offset = offset + at}, text);
    };
    if (load_le<std::uint32_t>(&m_bytes[0]) != Cipher::magic)
      refuse(errc::malformed, 0, concat({"no block of ", Cipher::name, " begins here, where the last one ends"}));
    const std::uint32_t size = load_le<std::uint32_t>(&m_bytes[layout::size_begin]);
    const std::uint32_t iv = load_le<std::uint32_t>(&m_bytes[layout::size_begin + 4]);
    if (iv != iv_size)
      refuse(errc::malformed, layout::size_begin + 4,
             concat({"the iv of a block has ", std::to_string(iv), " bytes, not 16"}));
    if (size < around_text || size - around_text != cipher_size())
      refuse(errc::malformed, layout::size_begin,
             concat({"the block says that it has ", std::to_string(size), " bytes, and ", std::to_string(cipher_size()),
                     " of cipher text, which does not add up"}));
    if (cipher_size() > left - layout::header_size)
      refuse(errc::truncated, 0,
             concat({"the block has ", std::to_string(cipher_size()), " bytes of cipher text where ",
                     std::to_string(left - layout::header_size), " are left: it was cut short or damaged"}));
    if (cipher_size() == 0 || (Cipher::is_padded && cipher_size() % cipher_unit != 0))
      refuse(errc::malformed, layout::iv_begin + iv_size,
             concat({"the cipher text of a block has ", std::to_string(cipher_size()),
                     Cipher::is_padded ? " bytes, no multiple of 16" : " bytes"}));
  }

 private:
  static constexpr std::uint32_t around_text = 4 + iv_size + 4;

  std::array<std::byte, layout::header_size> m_bytes{};
};

}  // namespace ckpt

#endif
