#ifndef CKPT_CHECKPOINT_INSPECT_HPP
#define CKPT_CHECKPOINT_INSPECT_HPP

#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include <ckpt/format/detect.hpp>
#include <ckpt/io/file_source.hpp>
#include <ckpt/io/source.hpp>
#include <ckpt/model/file_index.hpp>

namespace ckpt {

/// What a checkpoint file holds: names, kinds, dtypes, shapes, and where the data lies. Reads the structure and passes
/// over the data. Throws as load.
[[nodiscard]] inline file_index inspect(std::string path) {
  const file_source file(std::move(path));
  return read_index(file);
}

[[nodiscard]] inline file_index inspect(std::span<const std::byte> bytes) { return read_index(memory_source(bytes)); }

}  // namespace ckpt

#endif
