#include <ckpt/cipher/known_ciphers.hpp>

#include <doctest/doctest.h>

#include <ckpt/cipher/aes_cbc.hpp>
#include <ckpt/cipher/aes_gcm.hpp>
#include <ckpt/cipher/sm4_cbc.hpp>

#include "../support.hpp"

using namespace ckpt;
using namespace support;

TEST_CASE("find_cipher: by the magic, each the one that its policy says") {
  CHECK(find_cipher(bytes(unhex("d85e3a7f")))->name == aes_gcm::name);
  CHECK(find_cipher(bytes(unhex("d95e3a7f00")))->name == aes_cbc::name);
  CHECK(find_cipher(bytes(unhex("da5e3a7f")))->name == sm4_cbc::name);
  CHECK(find_cipher(bytes(unhex("da5e3a7f")))->policy == "ckpt::sm4_cbc");
  CHECK(find_cipher(bytes(unhex("db5e3a7f"))) == nullptr);
  CHECK(find_cipher(bytes(unhex("d85e3a"))) == nullptr);
}
