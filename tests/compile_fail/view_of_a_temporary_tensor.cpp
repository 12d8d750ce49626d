// expect-gcc: use of deleted function 'ckpt::tensor::operator ckpt::tensor_view() const &&'
// expect-clang: invokes a deleted function
#include <ckpt/ckpt.hpp>

std::size_t size() {
#ifdef BAD
  const ckpt::tensor_view view = ckpt::tensor({2}, {1.0f, 2.0f});
#else
  const ckpt::tensor owner({2}, {1.0f, 2.0f});
  const ckpt::tensor_view view = owner;
#endif
  return view.size_bytes();
}
