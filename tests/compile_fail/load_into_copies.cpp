// expect: ckpt: load_into cannot write to a tensor of this network: it is const, a copy, or of a type whose
#include <vector>

#include <ckpt/ckpt.hpp>

struct network {
  std::vector<float> weight;

#ifdef BAD
  std::vector<std::pair<std::string, std::vector<float>>> parameters_and_names() { return {{"weight", weight}}; }
#else
  std::vector<std::pair<std::string, std::vector<float>*>> parameters_and_names() { return {{"weight", &weight}}; }
#endif
};

void load(network& net) { ckpt::load_into("file", net); }
