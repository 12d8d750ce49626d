// expect: ckpt::save: this is not a save object
#include <map>
#include <string>
#include <vector>

#include <ckpt/ckpt.hpp>

#ifdef BAD
using value = std::vector<ckpt::tensor>;  // its data() is the first tensor, and the others would be lost
#else
using value = ckpt::tensor;
#endif

void save(const std::map<std::string, value>& named) { ckpt::save(named, "file"); }
