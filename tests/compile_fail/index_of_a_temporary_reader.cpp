// expect-gcc: use of deleted function 'const ckpt::file_index& ckpt::basic_reader<Policies>::index() const &&
// expect-clang: call to deleted member function 'index'
#include <ckpt/ckpt.hpp>

std::size_t count() {
#ifdef BAD
  const ckpt::file_index& index = ckpt::reader("file").index();
#else
  const ckpt::reader file("file");
  const ckpt::file_index& index = file.index();
#endif
  return index.size();
}
