#ifndef CKPT_CHECKPOINT_INSPECT_HPP
#define CKPT_CHECKPOINT_INSPECT_HPP

#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include <ckpt/checkpoint/policies.hpp>
#include <ckpt/format/detect.hpp>
#include <ckpt/io/file_source.hpp>
#include <ckpt/io/source.hpp>
#include <ckpt/model/file_index.hpp>

namespace ckpt {

/// What a checkpoint file holds: names, kinds, dtypes, shapes, and where the data lies. Reads the structure and passes
/// over the data. Throws as load, and is a template as load is.
template <class... Policies>
[[nodiscard]] file_index inspect(std::string path) {
  detail::check_load_policies<Policies...>();
  const file_source file(std::move(path));
  return read_index<source>(file);
}

template <class... Policies>
[[nodiscard]] file_index inspect(std::span<const std::byte> bytes) {
  detail::check_load_policies<Policies...>();
  return read_index<source>(memory_source(bytes));
}

}  // namespace ckpt

#endif
