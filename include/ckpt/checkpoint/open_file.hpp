#ifndef CKPT_CHECKPOINT_OPEN_FILE_HPP
#define CKPT_CHECKPOINT_OPEN_FILE_HPP

#include <string>
#include <utility>

#include <ckpt/checkpoint/in_flight.hpp>
#include <ckpt/checkpoint/options.hpp>
#include <ckpt/core/owner.hpp>
#include <ckpt/io/file_source.hpp>
#include <ckpt/io/mapped_file.hpp>
#include <ckpt/io/source.hpp>

namespace ckpt::detail {

/// Opens a file to be read in that way, once no save of this process is about to replace it.
[[nodiscard]] inline owner<const source> open_file(std::string path, read how, const load_options& options) {
  settle_saves_of(path, options.in_flight);
  if (how == read::copy) return owner<const source>(new file_source(std::move(path)));
  return owner<const source>(new mapped_file(std::move(path)));
}

}  // namespace ckpt::detail

#endif
