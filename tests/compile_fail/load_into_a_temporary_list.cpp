// expect: ckpt: load_into cannot write to a tensor of this network: it is const, a copy, or of a type whose
#include <vector>

#include <ckpt/ckpt.hpp>

std::vector<ckpt::parameter> copies();
std::vector<ckpt::parameter>& originals();

#ifdef BAD
void load() { ckpt::load_into("file", copies()); }
#else
void load() { ckpt::load_into("file", originals()); }
#endif
