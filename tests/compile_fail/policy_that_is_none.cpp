// expect: ckpt: a policy is none: name a format, ckpt::mindspore or ckpt::safetensors
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
