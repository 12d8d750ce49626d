// expect: ckpt::save: this is not a save object
#include <map>
#include <string>

#include <ckpt/ckpt.hpp>

std::vector<std::byte> save(const std::string& text) {
#ifdef BAD
  return ckpt::save_bytes(text);
#else
  return ckpt::save_bytes(std::map<std::string, std::string>{{"text", text}});
#endif
}
