// expect: ckpt::load_into: this is not a network
#include <map>

#include <ckpt/ckpt.hpp>

#ifdef BAD
using network = float;
#else
using network = std::map<std::string, std::span<float>>;
#endif

void load(network& net) { ckpt::load_into("file", net); }
