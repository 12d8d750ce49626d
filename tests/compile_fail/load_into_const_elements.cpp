// expect: ckpt: the elements to read into are const
#include <array>

#include <ckpt/ckpt.hpp>

#ifdef BAD
using list = const std::array<float, 2>;
#else
using list = std::array<float, 2>;
#endif

void load(list& mine) { ckpt::load_into("file", "weight", mine); }
