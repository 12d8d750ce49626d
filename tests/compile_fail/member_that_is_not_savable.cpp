// expect: ckpt: visit_parameters names a member that is neither a tensor, a string, a parameter nor a cell
#include <string>
#include <vector>

#include <ckpt/ckpt.hpp>

struct layer {
  std::vector<float> weight;
  double momentum = 0.9;

  void visit_parameters(auto&& visitor) const {
    visitor("weight", weight);
#ifdef BAD
    visitor("momentum", momentum);
#endif
  }
};

void save(const layer& l) { ckpt::save(l, "file"); }
