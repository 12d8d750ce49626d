// expect-gcc: use of deleted function 'std::span<const T> ckpt::tensor::as() const && [with T = float]'
// expect-clang: call to deleted member function 'as'
#include <span>

#include <ckpt/ckpt.hpp>

float sum() {
#ifdef BAD
  const std::span<const float> values = ckpt::tensor({2}, {1.0f, 2.0f}).as<float>();
#else
  const ckpt::tensor owner({2}, {1.0f, 2.0f});
  const std::span<const float> values = owner.as<float>();
#endif
  return values[0] + values[1];
}
