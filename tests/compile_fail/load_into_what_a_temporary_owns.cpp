// expect: ckpt: load_into cannot write to a tensor of this network: what the pointer to it owns goes away with it
#include <memory>

#include <ckpt/ckpt.hpp>

struct network {
  std::unique_ptr<ckpt::tensor> weight;

  void visit_parameters(auto&& visitor) {
#ifdef BAD
    visitor("weight", std::make_unique<ckpt::tensor>(*weight));
#else
    visitor("weight", weight);
#endif
  }
};

void load(network& net) { ckpt::load_into("file", net); }
