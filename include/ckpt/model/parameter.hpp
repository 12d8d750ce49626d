#ifndef CKPT_MODEL_PARAMETER_HPP
#define CKPT_MODEL_PARAMETER_HPP

#include <string>

#include <ckpt/tensor/tensor.hpp>

namespace ckpt {

/// A named tensor: what a parameter list is made of, where a program has no parameter type of its own.
struct parameter {
  std::string name;
  tensor data;
};

}  // namespace ckpt

#endif
