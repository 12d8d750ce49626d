// expect-gcc: use of deleted function 'std::optional<ckpt::state_value> ckpt::state_dict::find(std::string_view) const &&'
// expect-clang: call to deleted member function 'find'
#include <ckpt/ckpt.hpp>

bool has_weight() {
#ifdef BAD
  return ckpt::load("file").find("weight").has_value();
#else
  return ckpt::load("file").contains("weight");
#endif
}
