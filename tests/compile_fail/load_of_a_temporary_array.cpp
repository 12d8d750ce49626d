// expect-gcc: use of deleted function 'ckpt::state_dict ckpt::load(const std::array<std::byte, Size>&&
// expect-clang: call to deleted function 'load'
#include <array>

#include <ckpt/ckpt.hpp>

std::array<std::byte, 64> received();

std::size_t count() {
#ifdef BAD
  return ckpt::load(received()).size();
#else
  const std::array<std::byte, 64> kept = received();
  return ckpt::load(kept).size();
#endif
}
