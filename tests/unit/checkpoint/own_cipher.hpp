#ifndef CKPT_TESTS_UNIT_CHECKPOINT_OWN_CIPHER_HPP
#define CKPT_TESTS_UNIT_CHECKPOINT_OWN_CIPHER_HPP

#include <ckpt/cipher/concept.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace support {

/// A cipher of the user's, of that name, where none is run.
template <char Letter>
struct own_cipher {
  static constexpr char letter[2] = {Letter, 0};
  static constexpr std::string_view name = letter;
  static constexpr std::uint32_t magic = Letter;
  static bool takes(std::size_t) { return true; }
  static constexpr std::string_view key_sizes = "any number of bytes";
  static constexpr std::size_t derived_key_size = 16;
  static constexpr bool is_authenticated = false;
  static constexpr bool is_padded = false;
  struct encryptor {
    static constexpr std::size_t lanes = 1;
    explicit encryptor(std::span<const std::byte>) {}
    void begin(std::size_t, std::span<const std::byte, ckpt::iv_size>) {}
    void process(std::span<const ckpt::cipher_lane>, std::size_t) {}
  };
  struct decryptor {
    explicit decryptor(std::span<const std::byte>) {}
    void begin(std::span<const std::byte, ckpt::iv_size>) {}
    void process(const std::byte*, std::byte*, std::size_t) {}
  };
};

}  // namespace support

#endif
