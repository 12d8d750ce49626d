#ifndef CKPT_TESTS_PAGES_TYPES_HPP
#define CKPT_TESTS_PAGES_TYPES_HPP

// What the pages take for granted: types.

#include <ckpt/ckpt.hpp>

#include <cstdint>
#include <vector>

namespace my {

class matrix {
 public:
  std::vector<double>& values() { return m_values; }
  const std::vector<double>& values() const { return m_values; }
  std::int64_t rows() const { return 2; }
  std::int64_t columns() const { return 3; }

 private:
  std::vector<double> m_values = std::vector<double>(6);
};

}  // namespace my

struct convolution {
  ckpt::tensor weight;

  convolution(std::int64_t inputs, std::int64_t outputs, std::int64_t size)
      : weight(ckpt::dtype::float32, {outputs, inputs, size, size}) {}

  void visit_parameters(auto&& visitor) { visitor("weight", weight); }
};

struct dense {
  ckpt::tensor weight;
  ckpt::tensor bias;

  dense(std::int64_t inputs, std::int64_t outputs)
      : weight(ckpt::dtype::float32, {outputs, inputs}), bias(ckpt::dtype::float32, {outputs}) {}

  void visit_parameters(auto&& visitor) {
    visitor("weight", weight);
    visitor("bias", bias);
  }
};

#endif
