// expect-gcc: use of deleted function 'ckpt::state_dict::iterator ckpt::state_dict::begin() const &&'
// expect-clang: call to deleted member function 'begin'
#include <string>

#include <ckpt/ckpt.hpp>

std::string first_name() {
#ifdef BAD
  const auto first = ckpt::load("file").begin();
#else
  const ckpt::state_dict loaded = ckpt::load("file");
  const auto first = loaded.begin();
#endif
  return std::string((*first).first);
}
