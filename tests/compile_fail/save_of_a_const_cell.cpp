// expect: ckpt::save: this save object is const, and it cannot be walked as such: declare its
#include <vector>

#include <ckpt/ckpt.hpp>

struct layer {
  std::vector<float> weight;

#ifdef BAD
  void visit_parameters(auto&& visitor) { visitor("weight", weight); }
#else
  void visit_parameters(auto&& visitor) const { visitor("weight", weight); }
#endif
};

void save(const layer& l) { ckpt::save(l, "file"); }
