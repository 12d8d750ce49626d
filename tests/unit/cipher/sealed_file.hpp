#ifndef CKPT_TESTS_UNIT_CIPHER_SEALED_FILE_HPP
#define CKPT_TESTS_UNIT_CIPHER_SEALED_FILE_HPP

#include <ckpt/checkpoint/encrypting_executor.hpp>
#include <ckpt/cipher/decrypted_source.hpp>

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "../io/unmapped_source.hpp"
#include "../support.hpp"

namespace support {

/// Where bytes can be put anywhere: what a file is.
struct placing_memory {
  std::vector<std::byte> bytes;
  void write(std::span<const std::byte>) {
    throw std::logic_error("a sink that takes bytes anywhere is written in order");
  }
  void write_at(std::uint64_t offset, std::span<const std::byte> from) {
    if (offset + from.size() > bytes.size()) throw std::logic_error("written past the end");
    std::memcpy(bytes.data() + offset, from.data(), from.size());
  }
};

inline ckpt::secret_key key_of(std::size_t size, char first = 'k') {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(first + static_cast<char>(i));
  return ckpt::secret_key::from_text(bytes);
}

/// A key of a length that the cipher takes.
template <class Cipher>
ckpt::secret_key key_for(char first = 'k') {
  return key_of(Cipher::derived_key_size, first);
}

/// The sealed file of such plain bytes, in blocks of that size.
template <class Cipher, std::size_t BlockSize = 32>
std::string sealed(std::string_view plain, const ckpt::secret_key& key, unsigned threads = 1) {
  ckpt::plan plan;
  plan.add(bytes(plain));
  ckpt::encrypting_executor<Cipher> run(plan, {.key = &key, .threads = threads, .label = "<test>"}, BlockSize);
  placing_memory to{std::vector<std::byte>(static_cast<std::size_t>(run.size()))};
  run.run(to, [](std::uint64_t) {});
  return text(to.bytes);
}

template <class Cipher>
ckpt::decrypted_source<Cipher> opened(std::string_view file, const ckpt::secret_key* key, bool allow_unsealed = false,
                                      unsigned threads = 1) {
  return {ckpt::owner<const ckpt::source>(new unmapped_source(bytes(file))),
          {.key = key, .threads = threads, .allow_unsealed = allow_unsealed}};
}

template <class Cipher>
std::string decrypted(const ckpt::decrypted_source<Cipher>& from) {
  std::vector<std::byte> plain(static_cast<std::size_t>(from.size()));
  const ckpt::read_request whole{0, plain};
  from.read_all({&whole, 1}, [](std::uint64_t) {});
  return text(plain);
}

/// The plain bytes of a file, or why there are none.
template <class Cipher>
std::string read_back(std::string_view file, const ckpt::secret_key& key, bool allow_unsealed = false) {
  try {
    return decrypted(opened<Cipher>(file, &key, allow_unsealed));
  } catch (const ckpt::error& refused) {
    return refused.what();
  }
}

/// That many bytes which begin as a ckpt file does.
inline std::string stream(std::size_t size) {
  std::string plain = "\x0a\x7f\x0a\x03";
  while (plain.size() < size) plain += static_cast<char>('a' + plain.size() % 26);
  plain.resize(size);
  return plain;
}

/// Where each block of a file begins, and at the end where it ends.
template <class Cipher>
std::vector<std::size_t> block_offsets(std::string_view file) {
  using layout = ckpt::block_layout<Cipher>;
  std::vector<std::size_t> offsets{0};
  while (offsets.back() < file.size()) {
    std::uint32_t size = 0;
    std::memcpy(&size, file.data() + offsets.back() + layout::header_size - 4, sizeof size);
    offsets.push_back(offsets.back() + layout::header_size + size);
  }
  return offsets;
}

}  // namespace support

#endif
