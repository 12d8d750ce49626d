// expect: ckpt: load_into cannot write to a tensor of this network: it is const, a copy, or of a type whose
#include <map>

#include <ckpt/ckpt.hpp>

#ifdef BAD
using view = ckpt::tensor_view;
#else
using view = std::span<float>;
#endif

void load(std::map<std::string, view>& net) { ckpt::load_into("file", net); }
