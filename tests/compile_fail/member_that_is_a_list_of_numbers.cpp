// expect: ckpt: visit_parameters names a list whose elements are neither tensors, parameters nor cells
#include <deque>
#include <vector>

#include <ckpt/ckpt.hpp>

struct layer {
  std::deque<int> sizes;  // not contiguous, so not a tensor
  std::vector<int> contiguous;

  void visit_parameters(auto&& visitor) const {
    visitor("contiguous", contiguous);
#ifdef BAD
    visitor("sizes", sizes);
#endif
  }
};

void save(const layer& l) { ckpt::save(l, "file"); }
