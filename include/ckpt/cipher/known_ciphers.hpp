#ifndef CKPT_CIPHER_KNOWN_CIPHERS_HPP
#define CKPT_CIPHER_KNOWN_CIPHERS_HPP

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <ckpt/core/byte_order.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/io/source.hpp>

namespace ckpt {

/// One of the ciphers that MindSpore encrypts with.
struct known_cipher {
  std::string_view name;    ///< as MindSpore calls it
  std::string_view policy;  ///< the type that loads it
  std::uint32_t magic;      ///< what each block begins with (mindspore/ccsrc/utils/crypto.cc)
};

/// The one whose blocks a file begins with; nullptr where it begins otherwise.
[[nodiscard]] inline const known_cipher* find_cipher(sequence<std::byte> start) noexcept {
  static constexpr known_cipher all[] = {{"AES-GCM", "ckpt::aes_gcm", 0x7f3a5ed8},
                                         {"AES-CBC", "ckpt::aes_cbc", 0x7f3a5ed9},
                                         {"SM4-CBC", "ckpt::sm4_cbc", 0x7f3a5eda}};
  if (start.size() < 4) return nullptr;
  for (const known_cipher& each : all)
    if (each.magic == load_le<std::uint32_t>(start.data())) return &each;
  return nullptr;
}

[[nodiscard]] inline const known_cipher* find_cipher(const source& file) {
  std::byte start[4] = {};
  if (file.size() >= sizeof start) file.read(0, start);
  return find_cipher(start);
}

}  // namespace ckpt

#endif
