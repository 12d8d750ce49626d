// expect: ckpt::save: this is not a save object
#include <map>
#include <string>

#include <ckpt/ckpt.hpp>

struct matrix {
  int rows;
  int columns;
  const float* first;
};

#ifndef BAD
template <>
struct ckpt::tensor_traits<matrix> {
  static ckpt::tensor_view view(const matrix& m) {
    return ckpt::tensor_view::strided(ckpt::dtype::float32, {m.rows, m.columns}, m.first, {m.columns, 1});
  }
};
#endif

void save(const std::map<std::string, matrix>& matrices) { ckpt::save(matrices, "file"); }
