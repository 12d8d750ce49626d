// expect: ckpt: two checksums are named; a file has one
#include <map>
#include <string>

#include <ckpt/checksum/crc32.hpp>
#include <ckpt/checksum/crc32_cryptopp.hpp>
#include <ckpt/ckpt.hpp>

void save(const std::map<std::string, ckpt::tensor>& weights) {
#ifdef BAD
  ckpt::save<ckpt::crc32, ckpt::crc32_cryptopp>(weights, "file");
#else
  ckpt::save<ckpt::crc32>(weights, "file");
#endif
}
