// expect: ckpt: a cipher and a checksum exclude each other
#include <map>
#include <string>

#include <ckpt/checksum/crc32.hpp>
#include <ckpt/crypto.hpp>

void save(const std::map<std::string, ckpt::tensor>& weights) {
#ifdef BAD
  ckpt::save<ckpt::aes_gcm, ckpt::crc32>(weights, "file");
#else
  ckpt::save<ckpt::crc32>(weights, "file");
#endif
}
