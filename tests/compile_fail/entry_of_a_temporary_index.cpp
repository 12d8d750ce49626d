// expect-gcc: use of deleted function 'const ckpt::index_entry* ckpt::file_index::find(std::string_view) const &&'
// expect-clang: call to deleted member function 'find'
#include <cstdint>

#include <ckpt/ckpt.hpp>

std::uint64_t size() {
#ifdef BAD
  return ckpt::inspect("file").find("weight")->size_bytes();
#else
  const ckpt::file_index index = ckpt::inspect("file");
  return index.find("weight")->size_bytes();
#endif
}
