#include <ckpt/cipher/seal.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

#include <ckpt/cipher/aes_cbc.hpp>
#include <ckpt/cipher/aes_gcm.hpp>
#include <ckpt/cipher/sm4_cbc.hpp>

#include "sealed_file.hpp"

using namespace ckpt;
using namespace support;

namespace {

std::span<const std::byte, iv_size> iv_of(const std::string& raw) { return bytes(raw).first<iv_size>(); }

const std::string own_iv = "the seal's own iv";

std::vector<sealed_block> some_blocks() {
  std::vector<sealed_block> blocks(2);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    blocks[i].cipher_size = static_cast<std::uint32_t>(48 + i);
    blocks[i].iv.fill(static_cast<std::byte>(0x10 + i));
    blocks[i].mac.fill(static_cast<std::byte>(0x20 + i));
  }
  return blocks;
}

template <class Cipher>
std::string written(const std::vector<sealed_block>& blocks, std::uint64_t plain_size, const seal_keys& keys,
                    const std::string& structure = "") {
  std::vector<std::byte> to(static_cast<std::size_t>(seal<Cipher>::size(blocks.size(), structure.size())));
  cryptopp::hmac_sha256 hmac(keys.seal());
  seal<Cipher>::write(to, blocks, plain_size, bytes(structure), iv_of(own_iv), hmac);
  return text(to);
}

}  // namespace

TEST_CASE("seal: its bytes, of a cipher that authenticates") {
  const std::string key(32, 'k');
  const seal_keys keys(bytes(key), iv_of("sixteen bytes iv"));
  const std::string seal_bytes = written<aes_gcm>(some_blocks(), 80, keys);
  // Field 1001, length-delimited, 56 bytes.
  CHECK(hex(seal_bytes.substr(0, 3)) == "ca3e38");
  CHECK(seal_bytes.substr(3, 8) == "ckptseal");
  CHECK(hex(seal_bytes.substr(11, 16)) == "02000000000000005000000000000000");
  // The HMAC, computed apart from what the header says it is over.
  std::string over = "ckptseal" + unhex("d85e3a7f 0200000000000000 5000000000000000") + own_iv.substr(0, 16);
  over += std::string(16, '\x20') + std::string(16, '\x10') + unhex("30000000");
  over += std::string(16, '\x21') + std::string(16, '\x11') + unhex("31000000");
  std::string hmac_key(32, '\0');
  cryptopp::hkdf(std::as_writable_bytes(std::span(hmac_key)), bytes(key), bytes("sixteen bytes iv"),
                 std::string_view("ckpt seal HMAC-SHA256"));
  cryptopp::hmac_sha256 hmac(bytes(hmac_key));
  hmac.update(bytes(over));
  std::string expected(32, '\0');
  hmac.finish(std::as_writable_bytes(std::span(expected)).first<32>());
  CHECK(hex(seal_bytes.substr(27)) == hex(expected));
}

TEST_CASE("seal: of a cipher that does not authenticate, the GMACs stand in it") {
  const seal_keys keys(bytes("0123456789abcdef"), iv_of("sixteen bytes iv"));
  const std::string seal_bytes = written<aes_cbc>(some_blocks(), 80, keys);
  CHECK(hex(seal_bytes.substr(0, 3)) == "ca3e58");
  CHECK(hex(seal_bytes.substr(27, 32)) == hex(std::string(16, '\x20') + std::string(16, '\x21')));
  CHECK(seal_bytes.size() == 3 + 8 + 16 + 32 + 32);
  // Another cipher's seal over the same is another.
  CHECK(seal_bytes.substr(59) != written<sm4_cbc>(some_blocks(), 80, keys).substr(59));
}

TEST_CASE("seal: keys differ from each other, from file to file, and from the key itself") {
  const std::string key(32, 'k');
  const seal_keys one(bytes(key), iv_of("sixteen bytes iv"));
  const seal_keys other(bytes(key), iv_of("another iv here!"));
  CHECK(hex(one.seal()) != hex(one.block()));
  CHECK(hex(one.seal()) != hex(other.seal()));
  CHECK(hex(one.block()) != hex(other.block()));
  CHECK(hex(one.seal()) != hex(key));
}

TEST_CASE_TEMPLATE("seal: takes what it wrote, and nothing that differs in one bit", Cipher, aes_gcm, aes_cbc,
                   sm4_cbc) {
  const seal_keys keys(bytes("0123456789abcdef"), iv_of("sixteen bytes iv"));
  const std::vector<sealed_block> blocks = some_blocks();
  std::string good = written<Cipher>(blocks, 80, keys, "the structure");
  const std::size_t unpadded = good.size();
  good.resize(static_cast<std::size_t>(block_layout<Cipher>::cipher_size(unpadded)));
  pad(std::as_writable_bytes(std::span(good)), unpadded);
  typename seal<Cipher>::content said;
  std::vector<sealed_block> known = blocks;
  if (!Cipher::is_authenticated)
    for (sealed_block& block : known) block.mac = {};
  CHECK(seal<Cipher>::is_one(bytes(good)));
  CHECK(seal<Cipher>::check(bytes(good), known, iv_of(own_iv), keys, said));
  CHECK(said.plain_size == 80);
  CHECK(support::text(said.structure) == "the structure");
  CHECK(known[1].mac == blocks[1].mac);
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    known = blocks;
    CHECK(!seal<Cipher>::check(bytes(bad), known, iv_of(own_iv), keys, said));
  }
  known = blocks;
  known[0].iv[15] ^= std::byte{1};
  CHECK(!seal<Cipher>::check(bytes(good), known, iv_of(own_iv), keys, said));
  known = blocks;
  CHECK(!seal<Cipher>::check(bytes(good), known, iv_of("another's own iv"), keys, said));
  known = blocks;
  known[1].cipher_size += 16;
  CHECK(!seal<Cipher>::check(bytes(good), known, iv_of(own_iv), keys, said));
  if (Cipher::is_authenticated) {
    known = blocks;
    known[1].mac[0] ^= std::byte{1};
    CHECK(!seal<Cipher>::check(bytes(good), known, iv_of(own_iv), keys, said));
  }
}

TEST_CASE("seal: what is none") {
  CHECK(!seal<aes_gcm>::is_one({}));
  CHECK(!seal<aes_gcm>::is_one(bytes(unhex("ca3e"))));
  CHECK(!seal<aes_gcm>::is_one(bytes(unhex("ca3e38") + "ckptsea")));
  CHECK(!seal<aes_gcm>::is_one(bytes(unhex("ca3e38") + "ckptseam")));
  CHECK(
      !seal<aes_gcm>::is_one(bytes("\x0a\x7f\x0a\x03"
                                   "abc")));
  CHECK(seal<aes_gcm>::is_one(bytes(unhex("ca3e38") + "ckptseal")));
}

TEST_CASE("pad: PKCS#7") {
  std::string text = "0123456789";
  pad(std::as_writable_bytes(std::span(text)), 7);
  CHECK(text == "0123456\3\3\3");
}
