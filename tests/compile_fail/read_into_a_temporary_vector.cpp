// expect: ckpt: what is read would go away with the temporary that it is read into
#include <vector>

#include <ckpt/ckpt.hpp>

void load(const ckpt::reader& file) {
  std::vector<std::byte> mine(4);
#ifdef BAD
  file.read_into("weight", std::vector<std::byte>(4));
#else
  file.read_into("weight", mine);
#endif
}
