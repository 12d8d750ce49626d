#ifndef CKPT_BENCHMARKS_LARGE_HPP
#define CKPT_BENCHMARKS_LARGE_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <ckpt/model/parameter.hpp>

namespace bench {

/// The large checkpoint: 64 float32 tensors of as many mebibytes in all, each in memory of its own, every page of
/// which has been written to.
inline std::vector<ckpt::parameter> large_model(std::size_t mebibytes) {
  constexpr std::size_t tensors = 64;
  const std::size_t elements = (mebibytes << 20) / tensors / sizeof(float);
  std::vector<ckpt::parameter> model;
  std::uint32_t state = 1;
  for (std::size_t i = 0; i < tensors; ++i) {
    ckpt::tensor data(ckpt::dtype::float32, {static_cast<std::int64_t>(elements)});
    for (float& value : data.as<float>()) {
      state = state * 1664525 + 1013904223;
      value = static_cast<float>(state >> 8) * 0x1p-24F;
    }
    model.push_back({"layer" + std::to_string(i) + ".weight", std::move(data)});
  }
  return model;
}

}  // namespace bench

#endif
