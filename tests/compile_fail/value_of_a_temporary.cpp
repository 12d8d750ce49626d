// expect-gcc: use of deleted function 'ckpt::state_value ckpt::state_dict::operator[](std::string_view) const &&'
// expect-clang: overload resolution selected deleted operator '[]'
#include <ckpt/ckpt.hpp>

std::uint64_t size() {
#ifdef BAD
  return ckpt::load("file")["weight"].size_bytes();
#else
  const ckpt::state_dict loaded = ckpt::load("file");
  return loaded["weight"].size_bytes();
#endif
}
