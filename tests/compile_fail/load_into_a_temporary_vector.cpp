// expect: ckpt: what is read would go away with the temporary that it is read into
#include <vector>

#include <ckpt/ckpt.hpp>

void load(std::vector<float>& mine) {
#ifdef BAD
  ckpt::load_into("file", "weight", std::vector<float>(mine));
#else
  ckpt::load_into("file", "weight", std::span<float>(mine));
#endif
}
