// expect: ckpt::load_into: a state_dict shows what a file holds; there is nothing to fill
#include <map>

#include <ckpt/ckpt.hpp>

#ifdef BAD
using network = ckpt::state_dict;
#else
using network = std::map<std::string, ckpt::tensor>;
#endif

void load(network& net) { ckpt::load_into("file", net); }
