// expect: ckpt::save: this is not a save object
#include <ckpt/ckpt.hpp>

void save(const ckpt::tensor& weight) {
#ifdef BAD
  ckpt::save(weight, "file");
#else
  ckpt::save(std::vector<ckpt::parameter>{{"weight", weight}}, "file");
#endif
}
