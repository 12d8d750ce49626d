#ifndef CKPT_CIPHER_AES_CBC_HPP
#define CKPT_CIPHER_AES_CBC_HPP

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <ckpt/cipher/concept.hpp>
#include <ckpt/cipher/cryptopp.hpp>

namespace ckpt {

/// AES in cipher block chaining mode. Files that MindSpore reads with enc_mode "AES-CBC".
struct aes_cbc final {
  static constexpr std::string_view name = "AES-CBC";
  static constexpr std::uint32_t magic = 0x7f3a5ed9;
  [[nodiscard]] static constexpr bool takes(std::size_t size) noexcept {
    return size == 16 || size == 24 || size == 32;
  }
  static constexpr std::string_view key_sizes = "16, 24 or 32 bytes";
  static constexpr std::size_t derived_key_size = 32;
  static constexpr bool is_authenticated = false;
  static constexpr bool is_padded = true;

  using encryptor = cryptopp::cbc_encryptor<CryptoPP::AES, 1>;
  using decryptor = cryptopp::cbc_decryptor<CryptoPP::AES::Decryption>;
};

static_assert(cipher_policy<aes_cbc>);

}  // namespace ckpt

#endif
