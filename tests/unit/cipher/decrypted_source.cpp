#include <ckpt/cipher/decrypted_source.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include <ckpt/cipher/aes_cbc.hpp>
#include <ckpt/cipher/aes_gcm.hpp>
#include <ckpt/cipher/sm4_cbc.hpp>

#include "sealed_file.hpp"

using namespace ckpt;
using namespace support;

namespace {

template <class Cipher>
constexpr std::size_t key_size = Cipher::derived_key_size;

const std::string not_sealed =
    "<memory>: the file is not sealed: nothing shows that its blocks are all there and in place. MindSpore's own files "
    "are "
    "such; where you trust it, load it with .allow_unsealed = true";

}  // namespace

TEST_CASE_TEMPLATE("decrypted_source: every size around the edge of a block, by one thread and by three", Cipher,
                   aes_gcm, aes_cbc, sm4_cbc) {
  const secret_key key = key_of(key_size<Cipher>);
  for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 31U, 32U, 33U, 63U, 64U, 65U, 95U, 96U, 97U, 1000U}) {
    const std::string plain = stream(size);
    for (const unsigned threads : {1U, 3U}) {
      const std::string file = sealed<Cipher>(plain, key, threads);
      const decrypted_source<Cipher> source = opened<Cipher>(file, &key, false, threads);
      CHECK(source.is_sealed());
      CHECK(source.size() == size);
      CHECK(decrypted(source) == plain);
    }
  }
}

TEST_CASE_TEMPLATE("decrypted_source: any part, in any order", Cipher, aes_gcm, aes_cbc, sm4_cbc) {
  const secret_key key = key_of(key_size<Cipher>);
  const std::string plain = stream(203);
  const std::string file = sealed<Cipher>(plain, key);
  const decrypted_source<Cipher> source = opened<Cipher>(file, &key);
  for (std::size_t begin = 0; begin <= plain.size(); begin += 7)
    for (std::size_t end = begin; end <= plain.size(); end += 13) {
      std::vector<std::byte> part(end - begin);
      source.read(begin, part);
      CHECK(text(part) == plain.substr(begin, end - begin));
    }
  std::vector<std::byte> past(2);
  CHECK(message_of<format_error>([&] { source.read(202, past); }) ==
        "<memory>: ends too early: 2 bytes needed, 1 left, at byte 202");
}

TEST_CASE_TEMPLATE("decrypted_source: several parts at once; blocks that none of them needs are not looked at", Cipher,
                   aes_gcm, aes_cbc, sm4_cbc) {
  const secret_key key = key_of(key_size<Cipher>);
  const std::string plain = stream(32 * 8 + 5);
  std::string file = sealed<Cipher>(plain, key);
  // Damage in the third block and the sixth: parts beside them are read all the same.
  const std::vector<std::size_t> offsets = block_offsets<Cipher>(file);
  file[offsets[3] - 1] ^= 1;
  file[offsets[6] - 1] ^= 1;
  const decrypted_source<Cipher> source = opened<Cipher>(file, &key, false, 2);
  std::vector<std::byte> a(10);
  std::vector<std::byte> b(70);
  std::vector<std::byte> c(30);
  const read_request parts[] = {{2, a}, {40, std::span(b).first(20)}, {97, std::span(b).subspan(20)}, {230, c}};
  std::uint64_t reported = 0;
  source.read_all(parts, [&](std::uint64_t done) { reported = done > reported ? done : reported; });
  CHECK(text(a) == plain.substr(2, 10));
  CHECK(text(b) == plain.substr(40, 20) + plain.substr(97, 50));
  CHECK(text(c) == plain.substr(230, 30));
  CHECK(reported <= 110);
  CHECK(message_of<integrity_error>([&] { source.read(64, std::span(a).first(1)); }) ==
        "<memory>: block 3 of 9 is damaged: its bytes are not those that were written, at byte " +
            std::to_string(offsets[2]));
}

TEST_CASE_TEMPLATE("decrypted_source: blocks that are read in order are decrypted ahead, up to one for each thread",
                   Cipher, aes_gcm, aes_cbc, sm4_cbc) {
  const secret_key key = key_of(key_size<Cipher>);
  const std::string plain = stream(32 * 20);
  const std::string file = sealed<Cipher>(plain, key);
  const std::vector<std::size_t> offsets = block_offsets<Cipher>(file);
  // Of 3 threads; block after block; then one that does not follow.
  const std::vector<std::pair<std::size_t, std::size_t>> ends{{0, 1}, {1, 3}, {2, 3},   {3, 6},   {4, 6},
                                                              {5, 6}, {6, 9}, {14, 15}, {15, 17}, {18, 19}};
  auto* const watched = new unmapped_source(bytes(file));
  const decrypted_source<Cipher> source(owner<const ckpt::source>(watched), {.key = &key, .threads = 3});
  for (const auto& [number, end] : ends) {
    watched->read_end = 0;
    std::vector<std::byte> part(5);
    source.read(32 * number + 3, part);
    CHECK(text(part) == plain.substr(32 * number + 3, 5));
    INFO(number);
    if (watched->read_end > 0) CHECK(watched->read_end == offsets[end]);
    else CHECK((number == 2 || number == 4 || number == 5));
  }
}

TEST_CASE_TEMPLATE("decrypted_source: a block that is decrypted ahead and damaged is told when it is asked for", Cipher,
                   aes_gcm, aes_cbc, sm4_cbc) {
  const secret_key key = key_of(key_size<Cipher>);
  const std::string plain = stream(32 * 9);
  std::string file = sealed<Cipher>(plain, key);
  const std::vector<std::size_t> offsets = block_offsets<Cipher>(file);
  file[offsets[6] - 1] ^= 1;
  const decrypted_source<Cipher> source = opened<Cipher>(file, &key, false, 4);
  for (const std::size_t at : {0U, 16U, 32U, 48U, 64U, 80U, 96U, 112U, 128U, 144U, 192U, 208U}) {
    std::vector<std::byte> part(16);
    source.read(at, part);
    CHECK(text(part) == plain.substr(at, 16));
  }
  std::vector<std::byte> part(16);
  CHECK(message_of<integrity_error>([&] { source.read(160, part); }) ==
        "<memory>: block 6 of 9 is damaged: its bytes are not those that were written, at byte " +
            std::to_string(offsets[5]));
}

TEST_CASE_TEMPLATE("decrypted_source: an unsealed file is refused, and read where that is allowed", Cipher, aes_gcm,
                   aes_cbc, sm4_cbc) {
  const secret_key key = key_of(key_size<Cipher>);
  const std::string plain = stream(100);
  std::string file = sealed<Cipher>(plain, key);
  const std::vector<std::size_t> offsets = block_offsets<Cipher>(file);
  file.resize(offsets[4]);
  CHECK(read_back<Cipher>(file, key) == not_sealed);
  CHECK(read_back<Cipher>(file, key, true) == plain);
  CHECK(!opened<Cipher>(file, &key, true).is_sealed());
  // Nothing shows that the last block was dropped: that is why.
  file.resize(offsets[3]);
  CHECK(read_back<Cipher>(file, key, true) == plain.substr(0, 96));
}

TEST_CASE_TEMPLATE("decrypted_source: another key", Cipher, aes_gcm, aes_cbc, sm4_cbc) {
  const secret_key key = key_of(key_size<Cipher>);
  const std::string file = sealed<Cipher>(stream(100), key);
  const std::string said = read_back<Cipher>(file, key_of(key_size<Cipher>, 'A'));
  CHECK(said.find("<memory>: the key is not the one that the file was encrypted with") == 0);
  const std::string empty = sealed<Cipher>("", key);
  CHECK(read_back<Cipher>(empty, key_of(key_size<Cipher>, 'A'))
            .find("<memory>: the key is not the one that the file was encrypted with") == 0);
}

TEST_CASE("decrypted_source: no key, one of a length that the cipher does not take, another cipher, a plain file") {
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

TEST_CASE("decrypted_source: what follows the last block") {
  const secret_key key = key_of(16);
  const std::string file = sealed<aes_gcm>(stream(40), key);
  CHECK(read_back<aes_gcm>(file + "x", key) ==
        "<memory>: the header of a block has 48 bytes where 1 are left: the file was cut short or damaged, at byte " +
            std::to_string(file.size()));
  CHECK(read_back<aes_gcm>(file + std::string(100, 'x'), key) ==
        "<memory>: no block of AES-GCM begins here, where the last one ends, at byte " + std::to_string(file.size()));
}

TEST_CASE("decrypted_source: a key from a passphrase is another for each file") {
  const secret_key passphrase = secret_key::from_passphrase("correct horse battery staple");
  const std::string plain = stream(50);
  const std::string file = sealed<aes_gcm>(plain, passphrase);
  CHECK(read_back<aes_gcm>(file, passphrase) == plain);
  CHECK(read_back<aes_gcm>(file, secret_key::from_passphrase("incorrect horse"))
            .find("<memory>: the key is not the one that the file was encrypted with") == 0);
}
