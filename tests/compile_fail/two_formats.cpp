// expect: ckpt: two formats are named; a file has one
#include <map>
#include <string>

#include <ckpt/ckpt.hpp>

void save(const std::map<std::string, ckpt::tensor>& weights) {
#ifdef BAD
  ckpt::save<ckpt::safetensors, ckpt::mindspore>(weights, "file");
#else
  ckpt::save<ckpt::mindspore>(weights, "file");
#endif
}
