// expect: ckpt::save: this save object is const, and it cannot be walked as such: declare its
#include <string>
#include <vector>

#include <ckpt/ckpt.hpp>

struct parameter {
  std::string name;
#ifdef BAD
  std::vector<float>& data() { return values; }
#else
  const std::vector<float>& data() const { return values; }
#endif
  std::vector<float> values;
};

void save(const std::vector<parameter>& list) { ckpt::save(list, "file"); }
