// expect: ckpt: the elements to read into are const
#include <span>

#include <ckpt/ckpt.hpp>

#ifdef BAD
using list = std::span<const float>;
#else
using list = std::span<float>;
#endif

void load(const ckpt::reader& file, list mine) { file.read_into("weight", mine); }
