// expect: ckpt::save: this is not a save object
#include <ckpt/ckpt.hpp>

void save(int number, const ckpt::tensor& tensor) {
#ifdef BAD
  ckpt::save(number, "file");
#else
  ckpt::save(std::vector<std::pair<std::string, ckpt::tensor>>{{"n", tensor}}, "file");
#endif
  static_cast<void>(number);
  static_cast<void>(tensor);
}
