// expect: ckpt::save: this is not a save object
#include <string>
#include <utility>
#include <vector>

#include <ckpt/ckpt.hpp>

#ifdef BAD
using element = wchar_t;  // text of another width is neither text nor numbers
#else
using element = float;
#endif

void save(const std::vector<std::pair<std::string, std::vector<element>>>& named) { ckpt::save(named, "file"); }
