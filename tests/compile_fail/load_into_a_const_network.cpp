// expect: ckpt: load_into cannot write to a tensor of this network: it is const, a copy, or of a type whose
#include <map>

#include <ckpt/ckpt.hpp>

#ifdef BAD
using network = const std::map<std::string, ckpt::tensor>;
#else
using network = std::map<std::string, ckpt::tensor>;
#endif

void load(network& net) { ckpt::load_into("file", net); }
