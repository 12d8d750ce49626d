#include <ckpt/cipher/encrypted_blocks.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <ckpt/cipher/aes_cbc.hpp>
#include <ckpt/cipher/aes_gcm.hpp>
#include <ckpt/cipher/sm4_cbc.hpp>

#include "sealed_file.hpp"

using namespace ckpt;
using namespace support;

namespace {

template <class Cipher>
std::string not_sealed() {
  return std::string("<memory>: ") +
         (Cipher::is_authenticated ? "the file is not sealed: nothing shows that its blocks are all there and in "
                                     "place. MindSpore's own files "
                                     "are such"
                                   : "the key is not the one that the file was encrypted with, or its blocks are not "
                                     "all there, in place and "
                                     "as they were written, or it is not sealed. MindSpore's own files are not") +
         "; where you trust it, load it with .allow_unsealed = true";
}

/// The file with another seal over its blocks, made with the right key, that says so many plain bytes.
template <class Cipher>
std::string resealed(std::string file, const secret_key& key, std::uint64_t plain_size) {
  const unmapped_source source(bytes(file));
  const encrypted_blocks<Cipher> blocks(source, {.key = &key});
  std::vector<sealed_block> all;
  for (std::size_t number = 0; number < blocks.count(); ++number) all.push_back(blocks[number]);
  const std::string structure = text(blocks.structure());
  std::array<std::byte, iv_size> iv{};
  const std::size_t plain = static_cast<std::size_t>(seal<Cipher>::size(all.size(), structure.size()));
  std::vector<std::byte> seal_text(static_cast<std::size_t>(block_layout<Cipher>::cipher_size(plain)));
  cryptopp::hmac_sha256 hmac(seal_keys(key.bytes(), all.front().iv).seal());
  seal<Cipher>::write(std::span(seal_text).first(plain), all, plain_size, bytes(structure), iv, hmac);
  pad(seal_text, plain);
  typename Cipher::encryptor cipher(key.bytes());
  cipher.begin(0, iv);
  const cipher_lane whole{0, seal_text.data(), seal_text.data()};
  cipher.process({&whole, 1}, seal_text.size());
  block_header<Cipher> head(static_cast<std::uint32_t>(seal_text.size()), iv);
  if constexpr (Cipher::is_authenticated) cipher.tag(0, head.tag());
  file.resize(block_offsets<Cipher>(file)[all.size()]);
  return file + text(head.bytes()) + text(seal_text);
}

}  // namespace

TEST_CASE_TEMPLATE("encrypted_blocks: where each block lies, and which plain bytes it holds", Cipher, aes_gcm, aes_cbc,
                   sm4_cbc) {
  const secret_key key = key_for<Cipher>();
  const std::string file = sealed<Cipher>(stream(32 * 3 + 5), key);
  const std::vector<std::size_t> offsets = block_offsets<Cipher>(file);
  const unmapped_source source(bytes(file));
  const encrypted_blocks<Cipher> blocks(source, {.key = &key});
  CHECK(blocks.is_sealed());
  CHECK(blocks.plain_size() == 101);
  REQUIRE(blocks.count() == 4);
  for (std::size_t number = 0; number < 4; ++number) {
    CHECK(blocks[number].offset == offsets[number]);
    CHECK(blocks[number].plain_begin == 32 * number);
    CHECK(blocks.plain_size(number) == (number < 3 ? 32 : 5));
    CHECK(blocks.end_of(number) == blocks[number].plain_begin + blocks.plain_size(number));
    CHECK(blocks.block_at(blocks[number].plain_begin) == number);
    CHECK(blocks.block_at(blocks.end_of(number) - 1) == number);
  }
  CHECK(blocks.mac_key().size() == (Cipher::is_authenticated ? 0 : 32));
}

TEST_CASE("encrypted_blocks: the bytes of whole blocks at the beginning of some") {
  const secret_key key = key_of(16);
  const std::string file = sealed<aes_gcm>(stream(32 * 3 + 5), key);
  const unmapped_source source(bytes(file));
  const encrypted_blocks<aes_gcm> blocks(source, {.key = &key});
  CHECK(blocks.whole_blocks(0, 0, 31) == 0);
  CHECK(blocks.whole_blocks(0, 0, 32) == 32);
  CHECK(blocks.whole_blocks(0, 0, 95) == 64);
  CHECK(blocks.whole_blocks(1, 32, 69) == 69);
  CHECK(blocks.whole_blocks(0, 1, 95) == 0);  // does not begin where the block does
}

TEST_CASE_TEMPLATE("encrypted_blocks: an unsealed file is refused, and read where that is allowed", Cipher, aes_gcm,
                   aes_cbc, sm4_cbc) {
  const secret_key key = key_for<Cipher>();
  const std::string plain = stream(100);
  std::string file = sealed<Cipher>(plain, key);
  const std::vector<std::size_t> offsets = block_offsets<Cipher>(file);
  file.resize(offsets[4]);
  CHECK(read_back<Cipher>(file, key) == not_sealed<Cipher>());
  CHECK(read_back<Cipher>(file, key, true) == plain);
  CHECK(!opened<Cipher>(file, &key, true).is_sealed());
  // Nothing shows that the last block was dropped: that is why.
  file.resize(offsets[3]);
  CHECK(read_back<Cipher>(file, key, true) == plain.substr(0, 96));
}

TEST_CASE_TEMPLATE("encrypted_blocks: another key", Cipher, aes_gcm, aes_cbc, sm4_cbc) {
  const secret_key key = key_for<Cipher>();
  const std::string file = sealed<Cipher>(stream(100), key);
  const std::string said = read_back<Cipher>(file, key_for<Cipher>('A'));
  CHECK(said.find("<memory>: the key is not the one that the file was encrypted with") == 0);
  const std::string empty = sealed<Cipher>("", key);
  CHECK(read_back<Cipher>(empty, key_for<Cipher>('A'))
            .find("<memory>: the key is not the one that the file was encrypted with") == 0);
}

TEST_CASE_TEMPLATE("encrypted_blocks: another key, where an unsealed file is allowed", Cipher, aes_gcm, aes_cbc,
                   sm4_cbc) {
  std::string file = sealed<Cipher>(stream(100), key_for<Cipher>());
  file.resize(block_offsets<Cipher>(file)[4]);
  CHECK(read_back<Cipher>(file, key_for<Cipher>('A'), true)
            .find("<memory>: the key is not the one that the file was encrypted with") == 0);
}

TEST_CASE_TEMPLATE("encrypted_blocks: where an unsealed file is allowed, all of its padding must be there", Cipher,
                   aes_cbc, sm4_cbc) {
  const secret_key key = key_for<Cipher>();
  std::string file = sealed<Cipher>(stream(32), key);
  file.resize(block_offsets<Cipher>(file)[1]);
  CHECK(read_back<Cipher>(file, key, true) == stream(32));
  for (std::size_t place = 0; place < 16; ++place) {  // of the last of three units, through the one before it
    CAPTURE(place);
    std::string changed = file;
    char& byte = changed[file.size() - 32 + place];
    byte = static_cast<char>(byte ^ 0x20);
    CHECK(read_back<Cipher>(changed, key, true) ==
          "<memory>: the key is not the one that the file was encrypted with, or block 1 of 1 is damaged, at byte 0");
  }
}

// By the padding alone one key in 256 would pass.
TEST_CASE_TEMPLATE("encrypted_blocks: where an unsealed file is allowed, its first bytes show another key", Cipher,
                   aes_cbc, sm4_cbc) {
  std::string file = sealed<Cipher>(stream(20), key_for<Cipher>());
  file.resize(block_offsets<Cipher>(file)[1]);
  int shown = 0;
  for (const char first : {'A', 'B', 'C', 'D'})
    if (read_back<Cipher>(file, key_for<Cipher>(first), true) ==
        "<memory>: the key is not the one that the file was encrypted with")
      ++shown;
  CHECK(shown >= 3);  // once in 65536 times a wrong key makes the right bytes of them
}

TEST_CASE_TEMPLATE("encrypted_blocks: a seal that is not over these blocks has an error of its own", Cipher, aes_gcm,
                   aes_cbc, sm4_cbc) {
  const secret_key key = key_for<Cipher>();
  const std::string file = sealed<Cipher>(stream(100), key);
  const std::vector<std::size_t> offsets = block_offsets<Cipher>(file);
  const std::string dropped = file.substr(0, offsets[1]) + file.substr(offsets[2]);
  const std::string said =
      "<memory>: the seal is not over these blocks: one was damaged, dropped, exchanged or put in, or the seal itself "
      "was damaged, at byte " +
      std::to_string(dropped.size() - (file.size() - offsets[4]));
  CHECK(read_back<Cipher>(dropped, key, true) == said);
  CHECK(read_back<Cipher>(dropped, key) == (Cipher::is_authenticated ? said : not_sealed<Cipher>()));
}

TEST_CASE_TEMPLATE("encrypted_blocks: a right seal that gives the blocks other sizes", Cipher, aes_gcm, aes_cbc,
                   sm4_cbc) {
  const secret_key key = key_for<Cipher>();
  const std::string plain = stream(100);
  const std::string file = sealed<Cipher>(plain, key);
  CHECK(read_back<Cipher>(resealed<Cipher>(file, key, 100), key) == plain);
  const std::string last = std::to_string(block_offsets<Cipher>(file)[Cipher::is_padded ? 3 : 4]);
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{60}, std::uint64_t{95}, std::uint64_t{112},
                                   std::uint64_t{1000}, ~std::uint64_t{0}}) {
    CAPTURE(size);
    const std::string said = read_back<Cipher>(resealed<Cipher>(file, key, size), key);
    CHECK(said == (Cipher::is_padded
                       ? "<memory>: the seal does not give the blocks of this file their sizes, at byte " + last
                       : "<memory>: the blocks have 100 plain bytes, the seal says " + std::to_string(size) +
                             ", at byte " + last));
  }
}

// Else whoever may send files, and sees the errors, finds out a bit of somebody's plain bytes with each.
TEST_CASE_TEMPLATE("encrypted_blocks: an error says nothing of what unsealed blocks decrypt to", Cipher, aes_cbc,
                   sm4_cbc) {
  const secret_key key = key_for<Cipher>();
  std::string file = sealed<Cipher>(stream(40), key);
  const std::vector<std::size_t> offsets = block_offsets<Cipher>(file);
  std::size_t others = 0;
  for (std::size_t byte = offsets[2] + 48; byte < file.size();
       ++byte) {  // what decrypts to a seal, but not to the right one
    std::string changed = file;
    changed[byte] = static_cast<char>(changed[byte] ^ 1);
    others += read_back<Cipher>(changed, key) == not_sealed<Cipher>() ? 0u : 1u;
  }
  CHECK(read_back<Cipher>(file.substr(0, offsets[1]) + file.substr(offsets[2]), key) == not_sealed<Cipher>());
  file.resize(offsets[1]);
  for (std::size_t byte = 12; byte < file.size(); ++byte)  // from the iv on, but for its length and that of the text
    for (unsigned bit = 0; bit < 8; ++bit) {
      if (byte >= 28 && byte < 32) continue;
      std::string changed = file;
      changed[byte] = static_cast<char>(changed[byte] ^ (1 << bit));
      others += read_back<Cipher>(changed, key) == not_sealed<Cipher>() ? 0u : 1u;
    }
  CHECK(others == 0);
  // A seal whose length is written longer than needed is none: it could go on in a second unit, which may be another's.
  CHECK(
      ckpt::seal<Cipher>::is_one(bytes("\xca\x3e\x40"
                                       "ckptseal")));
  CHECK(
      !ckpt::seal<Cipher>::is_one(bytes(std::string_view("\xca\x3e\xc0\x00"
                                                         "ckptseal",
                                                         12))));
}

TEST_CASE("encrypted_blocks: no key, one of a length that the cipher does not take, another cipher, a plain file") {
  const secret_key key = key_of(16);
  const std::string file = sealed<aes_gcm>(stream(40), key);
  CHECK(message_of<usage_error>([&] { static_cast<void>(opened<aes_gcm>(file, nullptr)); }) ==
        "<memory>: AES-GCM needs a key: give one as {.key = key}");
  const secret_key shorter = key_of(15);
  CHECK(message_of<usage_error>([&] { static_cast<void>(opened<aes_gcm>(file, &shorter)); }) ==
        "<memory>: the key has 15 bytes; AES-GCM takes 16, 24 or 32 bytes");
  const secret_key longer = key_of(24);
  const std::string sm4 = sealed<sm4_cbc>(stream(40), key);
  CHECK(message_of<usage_error>([&] { static_cast<void>(opened<sm4_cbc>(sm4, &longer)); }) ==
        "<memory>: the key has 24 bytes; SM4-CBC takes 16 bytes");
  CHECK(read_back<aes_cbc>(file, key) ==
        "<memory>: the file is encrypted with AES-GCM, not with AES-CBC: load it with ckpt::aes_gcm");
  CHECK(read_back<aes_gcm>(stream(40), key) ==
        "<memory>: the file is not encrypted: load it without a cipher and a key");
  CHECK(read_back<aes_gcm>("", key) == "<memory>: the file is not encrypted: load it without a cipher and a key");
}

TEST_CASE("encrypted_blocks: what follows the last block") {
  const secret_key key = key_of(16);
  const std::string file = sealed<aes_gcm>(stream(40), key);
  CHECK(read_back<aes_gcm>(file + "x", key) ==
        "<memory>: the header of a block has 48 bytes where 1 are left: the file was cut short or damaged, at byte " +
            std::to_string(file.size()));
  CHECK(read_back<aes_gcm>(file + std::string(100, 'x'), key) ==
        "<memory>: no block of AES-GCM begins here, where the last one ends, at byte " + std::to_string(file.size()));
}

TEST_CASE("encrypted_blocks: a key from a passphrase is another for each file") {
  const secret_key passphrase = secret_key::from_passphrase("correct horse battery staple");
  const std::string plain = stream(50);
  const std::string file = sealed<aes_gcm>(plain, passphrase);
  CHECK(read_back<aes_gcm>(file, passphrase) == plain);
  CHECK(read_back<aes_gcm>(file, secret_key::from_passphrase("incorrect horse"))
            .find("<memory>: the key is not the one that the file was encrypted with") == 0);
}
