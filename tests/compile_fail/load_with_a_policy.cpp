// expect: ckpt: a load takes no policies: the file says which format it has
#include <ckpt/ckpt.hpp>

std::size_t count() {
#ifdef BAD
  return ckpt::load<ckpt::safetensors>("file").size();
#else
  return ckpt::load("file").size();
#endif
}
