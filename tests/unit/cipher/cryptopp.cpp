#include <ckpt/cipher/cryptopp.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "../support.hpp"

using namespace ckpt;
using namespace support;

namespace {

std::span<const std::byte, iv_size> iv_of(const std::string& raw) { return bytes(raw).first<iv_size>(); }

/// Encrypts in one lane, in pieces of `step` bytes.
template <class Encryptor>
std::string encrypt(Encryptor& with, const std::string& iv, std::string text, std::size_t step) {
  with.begin(0, iv_of(iv));
  auto* const at = reinterpret_cast<std::byte*>(text.data());
  for (std::size_t done = 0; done < text.size(); done += step) {
    const cipher_lane lane{0, at + done, at + done};
    with.process({&lane, 1}, step < text.size() - done ? step : text.size() - done);
  }
  return text;
}

template <class Decryptor>
std::string decrypt(Decryptor& with, const std::string& iv, const std::string& text, std::size_t step) {
  with.begin(iv_of(iv));
  std::string plain(text.size(), '\0');
  for (std::size_t done = 0; done < text.size(); done += step)
    with.process(bytes(text).data() + done, reinterpret_cast<std::byte*>(plain.data()) + done,
                 step < text.size() - done ? step : text.size() - done);
  return plain;
}

// The plain text of NIST SP 800-38A, F.2.
const std::string nist = unhex(
    "6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51 30c81c46a35ce411e5fbc1191a0a52ef "
    "f69f2445df4f9b17ad2b417be66c3710");
const std::string nist_iv = unhex("000102030405060708090a0b0c0d0e0f");

}  // namespace

TEST_CASE("cbc: AES, the vectors of NIST SP 800-38A, F.2.1 to F.2.6") {
  struct vector {
    const char* key;
    const char* text;
  };
  for (const auto& [key, expected] :
       {vector{"2b7e151628aed2a6abf7158809cf4f3c",
               "7649abac8119b246cee98e9b12e9197d 5086cb9b507219ee95db113a917678b2 73bed6b8e3c1743b7116e69e22229516 "
               "3ff1caa1681fac09120eca307586e1a7"},
        vector{"8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
               "4f021db243bc633d7178183a9fa071e8 b4d9ada9ad7dedf4e5e738763f69145a 571b242012fb7ae07fa9baac3df102e0 "
               "08b0e27988598881d920a9e64f5615cd"},
        vector{"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
               "f58c4c04d6e5f1ba779eabfb5f7bfbd6 9cfc4e967edb808d679f777bc6702c7d 39f23369a9d9bacfa530e26304231461 "
               "b2eb05e2c39be9fcda6c19078c6a9d1b"}}) {
    const std::string raw = unhex(key);
    cryptopp::cbc_encryptor<CryptoPP::AES, 1> to(bytes(raw));
    cryptopp::cbc_decryptor<CryptoPP::AES::Decryption> from(bytes(raw));
    for (const std::size_t step : {16U, 32U, 48U, 64U}) {
      CHECK(hex(encrypt(to, nist_iv, nist, step)) == hex(unhex(expected)));
      CHECK(decrypt(from, nist_iv, unhex(expected), step) == nist);
    }
  }
}

TEST_CASE("cbc: SM4, the vector of GB/T 32907-2016, A.1, as the first block of a chain from zero") {
  const std::string key = unhex("0123456789abcdeffedcba9876543210");
  const std::string zero(16, '\0');
  cryptopp::cbc_encryptor<CryptoPP::SM4, 4> to(bytes(key));
  cryptopp::cbc_decryptor<cryptopp::sm4_decryption> from(bytes(key));
  CHECK(hex(encrypt(to, zero, key, 16)) == "681edf34d206965e86b3e94f536e4246");
  CHECK(decrypt(from, zero, unhex("681edf34d206965e86b3e94f536e4246"), 16) == key);
}

TEST_CASE("cbc: SM4, the vector of RFC 8998's draft (draft-ribose-cfrg-sm4-10, A.2.3)") {
  const std::string key = unhex("0123456789abcdeffedcba9876543210");
  const std::string plain = unhex("aaaaaaaabbbbbbbbccccccccdddddddd eeeeeeeeffffffffaaaaaaaabbbbbbbb");
  const std::string expected = unhex("78ebb11cc40b0a48312aaeb2040244cb 4cb7016951909226979b0d15dc6a8f6d");
  cryptopp::cbc_encryptor<CryptoPP::SM4, 4> to(bytes(key));
  cryptopp::cbc_decryptor<cryptopp::sm4_decryption> from(bytes(key));
  CHECK(hex(encrypt(to, nist_iv, plain, 32)) == hex(expected));
  CHECK(decrypt(from, nist_iv, expected, 32) == plain);
}

using aes_one_by_one = cryptopp::cbc_encryptor<CryptoPP::AES, 1>;
using aes_by_four = cryptopp::cbc_encryptor<CryptoPP::AES, 4>;
using sm4_by_four = cryptopp::cbc_encryptor<CryptoPP::SM4, 4>;
TEST_CASE_TEMPLATE("cbc: blocks side by side are what each is alone", encryptor, aes_one_by_one, aes_by_four,
                   sm4_by_four) {
  const std::string key = unhex("2b7e151628aed2a6abf7158809cf4f3c");
  numbers random(1);
  for (std::size_t count = 1; count <= encryptor::lanes; ++count) {
    encryptor together(bytes(key));
    encryptor alone(bytes(key));
    std::vector<std::string> plain(count);
    std::vector<std::string> ivs(count);
    std::vector<std::string> expected(count);
    std::vector<cipher_lane> lanes(count);
    for (std::size_t i = 0; i < count; ++i) {
      for (int byte = 0; byte < 96; ++byte) plain[i] += static_cast<char>(random.below(256));
      for (int byte = 0; byte < 16; ++byte) ivs[i] += static_cast<char>(random.below(256));
      expected[i] = encrypt(alone, ivs[i], plain[i], 96);
      const std::size_t number = encryptor::lanes - 1 - i;  // lanes need not come in order
      together.begin(number, iv_of(ivs[i]));
      auto* const at = reinterpret_cast<std::byte*>(plain[i].data());
      lanes[i] = {number, at, at};
    }
    together.process(lanes, 32);
    for (cipher_lane& lane : lanes) lane = {lane.number, lane.in + 32, lane.out + 32};
    together.process(lanes, 64);
    for (std::size_t i = 0; i < count; ++i) CHECK(hex(plain[i]) == hex(expected[i]));
  }
}

TEST_CASE("gcm: the vectors of McGrew and Viega's specification that have no further data (cases 2, 3, 14, 15)") {
  struct vector {
    const char* key;
    const char* nonce;
    const char* plain;
    const char* text;
    const char* tag;
  };
  for (const vector& each :
       {vector{"00000000000000000000000000000000", "000000000000000000000000", "00000000000000000000000000000000",
               "0388dace60b6a392f328c2b971b2fe78", "ab6e47d42cec13bdf53a67b21257bddf"},
        vector{"feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
               "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf"
               "5aa0de657"
               "ba637b391aafd255",
               "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b3"
               "96a0aac97"
               "3d58e091473f5985",
               "4d5c2af327cd64a62cf35abd2ba6fab4"},
        vector{"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
               "00000000000000000000000000000000", "cea7403d4d606b6e074ec5d3baf39d18",
               "d0d1c8a799996bf0265b98b5d48ab919"},
        vector{"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
               "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf"
               "5aa0de657"
               "ba637b391aafd255",
               "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6"
               "393ba7a0a"
               "bcc9f662898015ad",
               "b094dac5d93471bdec1a502270e3cc6c"}}) {
    const std::string key = unhex(each.key);
    const std::string iv = unhex(each.nonce) + "four";  // which are stored and used for nothing
    cryptopp::gcm_encryptor to(bytes(key));
    cryptopp::gcm_decryptor from(bytes(key));
    for (const std::size_t step : {1U, 7U, 16U, 33U, 64U}) {
      CHECK(hex(encrypt(to, iv, unhex(each.plain), step)) == each.text);
      std::string tag(16, '\0');
      to.tag(0, std::as_writable_bytes(std::span(tag)).first<tag_size>());
      CHECK(hex(tag) == each.tag);
      CHECK(hex(decrypt(from, iv, unhex(each.text), step)) == each.plain);
      CHECK(from.verify(bytes(tag).first<tag_size>()));
      tag[15] = static_cast<char>(tag[15] ^ 1);
      decrypt(from, iv, unhex(each.text), step);
      CHECK(!from.verify(bytes(tag).first<tag_size>()));
    }
  }
}

TEST_CASE("gmac: the same as GCM over further data alone; every message has a nonce of its own") {
  const std::string key(32, 'k');
  cryptopp::gmac mac(bytes(key));
  const auto of = [&](std::uint64_t number, std::string_view message, std::size_t step) {
    mac.begin(number);
    for (std::size_t at = 0; at < message.size(); at += step) mac.update(bytes(message.substr(at, step)));
    std::string to(16, '\0');
    mac.finish(std::as_writable_bytes(std::span(to)).first<tag_size>());
    return hex(to);
  };
  const std::string message(100, 'm');
  const std::string expected = of(7, message, 100);
  CHECK(of(7, message, 1) == expected);
  CHECK(of(7, message, 33) == expected);
  CHECK(of(8, message, 100) != expected);
  CHECK(of(7, message + "m", 101) != expected);
}

TEST_CASE("hmac_sha256: test case 2 of RFC 4231") {
  cryptopp::hmac_sha256 hmac(bytes("Jefe"));
  hmac.update(bytes("what do ya want "));
  hmac.update(bytes("for nothing?"));
  std::string to(32, '\0');
  hmac.finish(std::as_writable_bytes(std::span(to)).first<32>());
  CHECK(hex(to) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST_CASE("hkdf: test case 1 of RFC 5869") {
  const std::string key(22, '\x0b');
  const std::string info = unhex("f0f1f2f3f4f5f6f7f8f9");
  std::string to(42, '\0');
  cryptopp::hkdf(std::as_writable_bytes(std::span(to)), bytes(key), bytes(unhex("000102030405060708090a0b0c")), info);
  CHECK(hex(to) == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
}

TEST_CASE("scrypt: the second vector of RFC 7914, 12") {
  std::string to(64, '\0');
  cryptopp::scrypt(std::as_writable_bytes(std::span(to)), bytes("password"), bytes("NaCl"), 1024, 8, 16);
  CHECK(
      hex(to) ==
      "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d"
      "8360cbdfa2cc0640");
}

TEST_CASE("equal") {
  CHECK(cryptopp::equal(bytes("same"), bytes("same")));
  CHECK(!cryptopp::equal(bytes("same"), bytes("samf")));
  CHECK(cryptopp::equal({}, {}));
}
