// expect: ckpt: only ckpt files are encrypted: safetensors and other formats have no place for it
#include <map>
#include <string>

#include <ckpt/crypto.hpp>

void save(const std::map<std::string, ckpt::tensor>& weights, const ckpt::secret_key& key) {
#ifdef BAD
  ckpt::save<ckpt::safetensors, ckpt::aes_gcm>(weights, "file", {.key = key});
#else
  ckpt::save<ckpt::mindspore, ckpt::aes_gcm>(weights, "file", {.key = key});
#endif
}
