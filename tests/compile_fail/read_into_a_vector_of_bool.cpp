// expect: ckpt: the elements of a tensor are read into a span, or what passes as one
#include <array>
#include <vector>

#include <ckpt/ckpt.hpp>

#ifdef BAD
using list = std::vector<bool>;
#else
using list = std::array<bool, 4>;
#endif

void load(const ckpt::reader& file, list& mine) { file.read_into("mask", mine); }
