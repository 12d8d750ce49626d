// expect: has elements of a type that no tensor has
#include <ckpt/ckpt.hpp>

#ifdef BAD
using rows = float[2][3];
#else
using rows = float[6];
#endif

void load(const ckpt::reader& file, rows& mine) { file.read_into("weight", mine); }
