#ifndef CKPT_CIPHER_SM4_CBC_HPP
#define CKPT_CIPHER_SM4_CBC_HPP

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <ckpt/cipher/concept.hpp>
#include <ckpt/cipher/cryptopp.hpp>

namespace ckpt {

/// SM4 (GB/T 32907-2016) in cipher block chaining mode. Files that MindSpore reads with enc_mode "SM4-CBC".
struct sm4_cbc final {
  static constexpr std::string_view name = "SM4-CBC";
  static constexpr std::uint32_t magic = 0x7f3a5eda;
  [[nodiscard]] static constexpr bool takes(std::size_t size) noexcept { return size == 16; }
  static constexpr std::string_view key_sizes = "16 bytes";
  static constexpr std::size_t derived_key_size = 16;
  static constexpr bool is_authenticated = false;
  static constexpr bool is_padded = true;

  using encryptor = cryptopp::cbc_encryptor<CryptoPP::SM4, 4>;
  using decryptor = cryptopp::cbc_decryptor<cryptopp::sm4_decryption>;
};

static_assert(cipher_policy<sm4_cbc>);

}  // namespace ckpt

#endif
