#ifndef CKPT_CIPHER_CRYPTOPP_HPP
#define CKPT_CIPHER_CRYPTOPP_HPP

// The one file that includes Crypto++: what this library needs of it, in its own types. Only constructors and
// derivations allocate; Crypto++'s exceptions come from misuse alone, which no call below allows.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include <cryptopp/aes.h>
#include <cryptopp/gcm.h>
#include <cryptopp/hkdf.h>
#include <cryptopp/hmac.h>
#include <cryptopp/misc.h>
#include <cryptopp/scrypt.h>
#include <cryptopp/sha.h>
#include <cryptopp/sm4.h>

#include <ckpt/cipher/concept.hpp>
#include <ckpt/core/byte_order.hpp>

namespace ckpt::cryptopp {

[[nodiscard]] inline const CryptoPP::byte* raw(const std::byte* bytes) noexcept {
  return reinterpret_cast<const CryptoPP::byte*>(bytes);
}
[[nodiscard]] inline CryptoPP::byte* raw(std::byte* bytes) noexcept { return reinterpret_cast<CryptoPP::byte*>(bytes); }

/// Compares in a time that depends on the size alone, which is the same for both.
[[nodiscard]] inline bool equal(std::span<const std::byte> a, std::span<const std::byte> b) {
  return CryptoPP::VerifyBufsEqual(raw(a.data()), raw(b.data()), a.size());
}

/// AES in GCM with a nonce of 12 bytes, the first 12 of an iv, as MindSpore uses it (it stores 16).
inline constexpr int gcm_nonce_size = 12;

/// Bytes that are gone through twice, by a cipher and by what authenticates them, at a time: few enough to be in the
/// first cache of a core the second time.
inline constexpr std::size_t in_first_cache = std::size_t{16} << 10;

/// Crypto++ goes through all that it is given with the cipher, and then with the hash. Before 8.7 it also allocates
/// where it is to write over what it reads.
template <class Gcm>
void process_gcm(Gcm& gcm, const std::byte* in, std::byte* out, std::size_t size) {
  std::array<std::byte, in_first_cache> copy;
  for (std::size_t at = 0; at < size; at += in_first_cache) {
    const std::size_t step = size - at < in_first_cache ? size - at : in_first_cache;
    const std::byte* from = in + at;
    if (in == out) {
      std::memcpy(copy.data(), from, step);
      from = copy.data();
    }
    gcm.ProcessData(raw(out + at), raw(from), step);
  }
}

class gcm_encryptor {
 public:
  static constexpr std::size_t lanes = 1;

  explicit gcm_encryptor(std::span<const std::byte> key) {
    const std::array<CryptoPP::byte, gcm_nonce_size> nonce{};
    m_gcm.SetKeyWithIV(raw(key.data()), key.size(), nonce.data(), nonce.size());
  }
  void begin(std::size_t /*lane*/, std::span<const std::byte, iv_size> iv) {
    m_gcm.Resynchronize(raw(iv.data()), gcm_nonce_size);
  }
  void process(std::span<const cipher_lane> blocks, std::size_t size) {
    process_gcm(m_gcm, blocks.front().in, blocks.front().out, size);
  }
  void tag(std::size_t /*lane*/, std::span<std::byte, tag_size> to) { m_gcm.TruncatedFinal(raw(to.data()), to.size()); }

 private:
  CryptoPP::GCM<CryptoPP::AES>::Encryption m_gcm;
};

class gcm_decryptor {
 public:
  explicit gcm_decryptor(std::span<const std::byte> key) {
    const std::array<CryptoPP::byte, gcm_nonce_size> nonce{};
    m_gcm.SetKeyWithIV(raw(key.data()), key.size(), nonce.data(), nonce.size());
  }
  void begin(std::span<const std::byte, iv_size> iv) { m_gcm.Resynchronize(raw(iv.data()), gcm_nonce_size); }
  void process(const std::byte* in, std::byte* out, std::size_t size) { process_gcm(m_gcm, in, out, size); }
  [[nodiscard]] bool verify(std::span<const std::byte, tag_size> tag) {
    return m_gcm.TruncatedVerify(raw(tag.data()), tag.size());
  }

 private:
  CryptoPP::GCM<CryptoPP::AES>::Decryption m_gcm;
};

/// CBC of several blocks side by side: within one, each step waits for the one before, and a core is idle most of the
/// time; of eight, it has eight steps to do at once. Crypto++ takes `Together` units for the price of one, and fewer
/// one by one: what is missing of them is made up.
template <class BlockCipher, std::size_t Together>
class cbc_encryptor {
 public:
  static constexpr std::size_t lanes = 8;
  static_assert(lanes % Together == 0);

  explicit cbc_encryptor(std::span<const std::byte> key) : m_cipher(raw(key.data()), key.size()) {}
  void begin(std::size_t lane, std::span<const std::byte, iv_size> iv) {
    std::memcpy(m_chain[lane].data(), iv.data(), iv.size());
  }
  void process(std::span<const cipher_lane> blocks, std::size_t size) {
    alignas(64) std::array<std::byte, lanes * cipher_unit> plain{};
    alignas(64) std::array<std::byte, lanes * cipher_unit> chain{};
    const std::size_t count = blocks.size();
    const std::size_t made_up = (count + Together - 1) / Together * Together;
    for (std::size_t i = 0; i < count; ++i)
      std::memcpy(&chain[i * cipher_unit], m_chain[blocks[i].number].data(), cipher_unit);
    using transformation = CryptoPP::BlockTransformation;
    const transformation& cipher = m_cipher;
    for (std::size_t at = 0; at < size; at += cipher_unit) {
      for (std::size_t i = 0; i < count; ++i) std::memcpy(&plain[i * cipher_unit], blocks[i].in + at, cipher_unit);
      cipher.AdvancedProcessBlocks(raw(plain.data()), raw(chain.data()), raw(chain.data()), made_up * cipher_unit,
                                   transformation::BT_XorInput | transformation::BT_AllowParallel);
      for (std::size_t i = 0; i < count; ++i) std::memcpy(blocks[i].out + at, &chain[i * cipher_unit], cipher_unit);
    }
    for (std::size_t i = 0; i < count; ++i)
      std::memcpy(m_chain[blocks[i].number].data(), &chain[i * cipher_unit], cipher_unit);
  }

 private:
  typename BlockCipher::Encryption m_cipher;
  std::array<std::array<std::byte, cipher_unit>, lanes> m_chain{};
};

/// `Decryption` is a Crypto++ block transformation that decrypts.
template <class Decryption>
class cbc_decryptor {
 public:
  explicit cbc_decryptor(std::span<const std::byte> key) : m_cipher(raw(key.data()), key.size()) {}
  void begin(std::span<const std::byte, iv_size> iv) { std::memcpy(m_chain.data(), iv.data(), iv.size()); }
  void process(const std::byte* in, std::byte* out, std::size_t size) {
    if (size == 0) return;
    using transformation = CryptoPP::BlockTransformation;
    const transformation& cipher = m_cipher;
    cipher.ProcessAndXorBlock(raw(in), raw(m_chain.data()), raw(out));
    if (size > cipher_unit)
      cipher.AdvancedProcessBlocks(raw(in) + cipher_unit, raw(in), raw(out) + cipher_unit, size - cipher_unit,
                                   transformation::BT_AllowParallel);
    std::memcpy(m_chain.data(), in + (size - cipher_unit), cipher_unit);
  }

 private:
  Decryption m_cipher;
  std::array<std::byte, cipher_unit> m_chain{};
};

/// SM4 decrypts as it encrypts, with the round keys the other way round (GB/T 32907-2016, 7.3): so Crypto++'s one
/// accelerated path serves both.
class sm4_decryption : public CryptoPP::SM4::Encryption {
 public:
  sm4_decryption(const CryptoPP::byte* key, std::size_t size) : CryptoPP::SM4::Encryption(key, size) {
    std::reverse(m_rkeys.begin(), m_rkeys.end());
  }
};

/// GMAC (NIST SP 800-38D) with AES: a MAC of 16 bytes for each message, whose number is the nonce.
class gmac {
 public:
  explicit gmac(std::span<const std::byte> key) {
    const std::array<CryptoPP::byte, gcm_nonce_size> nonce{};
    m_gcm.SetKeyWithIV(raw(key.data()), key.size(), nonce.data(), nonce.size());
  }
  void begin(std::uint64_t number) {
    std::array<std::byte, gcm_nonce_size> nonce{};
    store_le(nonce.data(), number);
    m_gcm.Resynchronize(raw(nonce.data()), gcm_nonce_size);
  }
  void update(std::span<const std::byte> bytes) { m_gcm.Update(raw(bytes.data()), bytes.size()); }
  void finish(std::span<std::byte, tag_size> to) { m_gcm.TruncatedFinal(raw(to.data()), to.size()); }

 private:
  CryptoPP::GCM<CryptoPP::AES>::Encryption m_gcm;
};

class hmac_sha256 {
 public:
  static constexpr std::size_t size = 32;

  explicit hmac_sha256(std::span<const std::byte> key) : m_hmac(raw(key.data()), key.size()) {}
  void update(std::span<const std::byte> bytes) { m_hmac.Update(raw(bytes.data()), bytes.size()); }
  void finish(std::span<std::byte, size> to) { m_hmac.Final(raw(to.data())); }

 private:
  CryptoPP::HMAC<CryptoPP::SHA256> m_hmac;
};

/// HKDF-SHA256 (RFC 5869).
inline void hkdf(std::span<std::byte> to, std::span<const std::byte> key, std::span<const std::byte> salt,
                 std::span<const char> info) {
  CryptoPP::HKDF<CryptoPP::SHA256>().DeriveKey(raw(to.data()), to.size(), raw(key.data()), key.size(), raw(salt.data()),
                                               salt.size(), reinterpret_cast<const CryptoPP::byte*>(info.data()),
                                               info.size());
}

/// scrypt (RFC 7914).
inline void scrypt(std::span<std::byte> to, std::span<const std::byte> passphrase, std::span<const std::byte> salt,
                   std::uint64_t cost, std::uint64_t block_size, std::uint64_t parallelization) {
  CryptoPP::Scrypt().DeriveKey(raw(to.data()), to.size(), raw(passphrase.data()), passphrase.size(), raw(salt.data()),
                               salt.size(), cost, block_size, parallelization);
}

}  // namespace ckpt::cryptopp

#endif
