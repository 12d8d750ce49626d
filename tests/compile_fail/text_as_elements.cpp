// expect-gcc: no matching function for call to 'ckpt::state_value::as<char>()'
// expect-clang: no matching member function for call to 'as'
#include <ckpt/ckpt.hpp>

std::size_t count(const ckpt::state_dict& loaded) {
#ifdef BAD
  return loaded["weight"].as<char>().size();
#else
  return loaded["weight"].as<signed char>().size();
#endif
}
