#ifndef CKPT_CIPHER_AES_GCM_HPP
#define CKPT_CIPHER_AES_GCM_HPP

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <ckpt/cipher/concept.hpp>
#include <ckpt/cipher/cryptopp.hpp>

namespace ckpt {

/// AES in Galois/Counter Mode: encrypts and authenticates. The one to choose where nothing else is asked for. Files
/// that MindSpore reads with enc_mode "AES-GCM".
struct aes_gcm final {
  static constexpr std::string_view name = "AES-GCM";
  static constexpr std::uint32_t magic = 0x7f3a5ed8;
  [[nodiscard]] static constexpr bool takes(std::size_t size) noexcept {
    return size == 16 || size == 24 || size == 32;
  }
  static constexpr std::string_view key_sizes = "16, 24 or 32 bytes";
  static constexpr std::size_t derived_key_size = 32;
  static constexpr bool is_authenticated = true;
  static constexpr bool is_padded = false;

  using encryptor = cryptopp::gcm_encryptor;
  using decryptor = cryptopp::gcm_decryptor;
};

static_assert(cipher_policy<aes_gcm>);

}  // namespace ckpt

#endif
