// expect: ckpt: to use a cipher, include <ckpt/crypto.hpp> and link Crypto++
#include <map>
#include <string>

#include <ckpt/cipher/aes_gcm.hpp>
#include <ckpt/ckpt.hpp>
#ifndef BAD
#include <ckpt/crypto.hpp>
#endif

void save(const std::map<std::string, ckpt::tensor>& weights, const ckpt::secret_key& key) {
  ckpt::save<ckpt::aes_gcm>(weights, "file", {.key = key});
}
