// expect-gcc: no matching function for call to 'ckpt::append_value::append_value(
// expect-clang: no matching constructor for initialization of 'ckpt::append_value'
#include <ckpt/ckpt.hpp>

ckpt::append_value value(const float* rate) {
#ifdef BAD
  return ckpt::append_value("rate", rate);  // not the bool that a pointer converts to
#else
  return ckpt::append_value("rate", *rate);
#endif
}
