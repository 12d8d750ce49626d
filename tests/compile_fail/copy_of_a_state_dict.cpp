// expect-gcc: use of deleted function 'ckpt::state_dict::state_dict(const ckpt::state_dict&)'
// expect-clang: call to implicitly-deleted copy constructor of 'ckpt::state_dict'
#include <utility>

#include <ckpt/ckpt.hpp>

ckpt::state_dict keep(ckpt::state_dict& loaded) {
#ifdef BAD
  return loaded;
#else
  return std::move(loaded);
#endif
}
