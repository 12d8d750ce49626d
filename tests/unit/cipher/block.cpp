#include <ckpt/cipher/block.hpp>

#include <doctest/doctest.h>

#include <string>

#include <ckpt/cipher/aes_cbc.hpp>
#include <ckpt/cipher/aes_gcm.hpp>

#include "../support.hpp"

using namespace ckpt;
using namespace support;

static_assert(block_layout<aes_gcm>::header_size == 48 && block_layout<aes_cbc>::header_size == 32);
static_assert(block_layout<aes_gcm>::cipher_size(17) == 17 && block_layout<aes_gcm>::block_size(17) == 65);
static_assert(block_layout<aes_cbc>::cipher_size(0) == 16 && block_layout<aes_cbc>::cipher_size(15) == 16 &&
              block_layout<aes_cbc>::cipher_size(16) == 32 && block_layout<aes_cbc>::cipher_size(17) == 32);
// Blocks of 2, 3 and 64 MiB.
static_assert(block_layout<aes_gcm>::plain_block_size(0) == 2097104 &&
              block_layout<aes_cbc>::plain_block_size(1) == 2097104);
static_assert(block_layout<aes_gcm>::plain_block_size(512 << 20) == 2097104);
static_assert(block_layout<aes_gcm>::plain_block_size((512 << 20) + 256) == 3145680);
static_assert(block_layout<aes_cbc>::plain_block_size(std::uint64_t{16} << 30) == 67108816);
static_assert(block_layout<aes_gcm>::plain_block_size(std::uint64_t{1} << 50) == 67108816);
static_assert(block_layout<aes_gcm>::block_size(2097104) == 2 << 20 &&
              block_layout<aes_cbc>::block_size(2097104) == 2 << 20);

namespace {

const std::string iv = "sixteen bytes iv";

template <class Cipher>
std::string refusal(const std::string& raw, std::uint64_t left) {
  block_header<Cipher> head;
  CHECK(raw.size() == head.bytes().size());
  std::memcpy(head.bytes().data(), raw.data(), raw.size());
  return message_of<format_error>([&] { head.validate("f.ckpt", 100, left); });
}

}  // namespace

TEST_CASE("block_header: its bytes") {
  block_header<aes_gcm> gcm(5, bytes(iv).first<iv_size>());
  std::memset(gcm.tag().data(), 0xee, tag_size);
  CHECK(hex(gcm.bytes()) ==
        "d85e3a7f"
        "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
        "1d000000"
        "10000000" +
            hex(iv) + "05000000");
  const block_header<aes_cbc> cbc(32, bytes(iv).first<iv_size>());
  CHECK(hex(cbc.bytes()) ==
        "d95e3a7f"
        "38000000"
        "10000000" +
            hex(iv) + "20000000");
  CHECK(cbc.cipher_size() == 32);
  CHECK(text(cbc.iv()) == iv);
  CHECK(refusal<aes_cbc>(text(cbc.bytes()), 32 + 32) == "(nothing thrown)");
}

TEST_CASE("block_header: what is refused, and where") {
  CHECK(refusal<aes_cbc>(unhex("d85e3a7f 38000000 10000000") + iv + unhex("20000000"), 64) ==
        "f.ckpt: no block of AES-CBC begins here, where the last one ends, at byte 100");
  CHECK(refusal<aes_cbc>(unhex("d95e3a7f 38000000 0c000000") + iv + unhex("20000000"), 64) ==
        "f.ckpt: the iv of a block has 12 bytes, not 16, at byte 108");
  CHECK(refusal<aes_cbc>(unhex("d95e3a7f 39000000 10000000") + iv + unhex("20000000"), 64) ==
        "f.ckpt: the block says that it has 57 bytes, and 32 of cipher text, which does not add up, at byte 104");
  CHECK(
      refusal<aes_cbc>(unhex("d95e3a7f 08000000 10000000") + iv + unhex("f0ffffff"), 64) ==
      "f.ckpt: the block says that it has 8 bytes, and 4294967280 of cipher text, which does not add up, at byte 104");
  CHECK(refusal<aes_cbc>(unhex("d95e3a7f 38000000 10000000") + iv + unhex("20000000"), 63) ==
        "f.ckpt: the block has 32 bytes of cipher text where 31 are left: it was cut short or damaged, at byte 100");
  CHECK(refusal<aes_cbc>(unhex("d95e3a7f 39000000 10000000") + iv + unhex("21000000"), 100) ==
        "f.ckpt: the cipher text of a block has 33 bytes, no multiple of 16, at byte 128");
  CHECK(refusal<aes_gcm>(unhex("d85e3a7f") + std::string(16, 't') + unhex("18000000 10000000") + iv + unhex("00000000"),
                         100) == "f.ckpt: the cipher text of a block has 0 bytes, at byte 144");
}
