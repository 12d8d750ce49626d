// expect: ckpt: load_into cannot assign to a text of this network: make it a std::string that is not const
#include <map>

#include <ckpt/ckpt.hpp>

#ifdef BAD
using text = std::string_view;
#else
using text = std::string;
#endif

void load(std::map<std::string, text>& net) { ckpt::load_into("file", net); }
