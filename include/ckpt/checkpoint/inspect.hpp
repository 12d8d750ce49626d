#ifndef CKPT_CHECKPOINT_INSPECT_HPP
#define CKPT_CHECKPOINT_INSPECT_HPP

#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include <ckpt/checkpoint/open_file.hpp>
#include <ckpt/checkpoint/options.hpp>
#include <ckpt/checkpoint/plain_source.hpp>
#include <ckpt/checkpoint/policies.hpp>
#include <ckpt/core/owner.hpp>
#include <ckpt/io/source.hpp>
#include <ckpt/model/file_index.hpp>

namespace ckpt {

namespace detail {

template <class... Policies>
[[nodiscard]] file_index inspect_from(owner<const source> file, const load_options& options) {
  using chosen = policy_set<Policies...>;
  const source_of<typename chosen::cipher> opened(std::move(file), options);
  return opened.template index<typename chosen::format>(*opened.plain);
}

}  // namespace detail

/// What a checkpoint file holds: names, kinds, dtypes, shapes, and where the data lies. Reads the structure and passes
/// over the data. Throws as load; of the options it heeds what concerns ciphers, and `in_flight`. The offsets of an
/// encrypted file are those of its plain bytes.
template <class... Policies>
[[nodiscard]] file_index inspect(std::string path, const load_options& options = {}) {
  return detail::inspect_from<Policies...>(detail::open_file(std::move(path), read::copy, options), options);
}

template <class... Policies>
[[nodiscard]] file_index inspect(std::span<const std::byte> bytes, const load_options& options = {}) {
  return detail::inspect_from<Policies...>(owner<const source>(new memory_source(bytes)), options);
}

}  // namespace ckpt

#endif
