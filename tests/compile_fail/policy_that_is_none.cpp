// expect: ckpt: a policy is none: name a format (ckpt::mindspore, ckpt::safetensors), a cipher (ckpt::aes_gcm, ...), a checksum (ckpt::crc32), or a type of your own that satisfies ckpt::file_format, ckpt::cipher_policy or ckpt::checksum_policy
#include <map>
#include <string>

#include <ckpt/ckpt.hpp>

void save(const std::map<std::string, ckpt::tensor>& weights) {
#ifdef BAD
  ckpt::save<int>(weights, "file");
#else
  ckpt::save<ckpt::safetensors>(weights, "file");
#endif
}
