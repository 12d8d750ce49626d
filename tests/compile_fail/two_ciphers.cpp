// expect: ckpt: two ciphers are named; a file has one
#include <map>
#include <string>

#include <ckpt/crypto.hpp>

void save(const std::map<std::string, ckpt::tensor>& weights, const ckpt::secret_key& key) {
#ifdef BAD
  ckpt::save<ckpt::aes_gcm, ckpt::sm4_cbc>(weights, "file", {.key = key});
#else
  ckpt::save<ckpt::aes_gcm>(weights, "file", {.key = key});
#endif
}
