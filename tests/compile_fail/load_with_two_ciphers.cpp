// expect: ckpt: two ciphers are named; a file has one
#include <ckpt/crypto.hpp>

std::size_t count(const ckpt::secret_key& key) {
#ifdef BAD
  return ckpt::load<ckpt::aes_gcm, ckpt::aes_cbc>("file", {.key = key}).size();
#else
  return ckpt::load<ckpt::aes_gcm>("file", {.key = key}).size();
#endif
}
