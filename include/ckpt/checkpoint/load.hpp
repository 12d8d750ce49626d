#ifndef CKPT_CHECKPOINT_LOAD_HPP
#define CKPT_CHECKPOINT_LOAD_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <ckpt/checkpoint/open_file.hpp>
#include <ckpt/checkpoint/options.hpp>
#include <ckpt/checkpoint/plain_source.hpp>
#include <ckpt/checkpoint/policies.hpp>
#include <ckpt/checkpoint/verify_checksum.hpp>
#include <ckpt/core/checked.hpp>
#include <ckpt/core/owner.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/core/trivial_vector.hpp>
#include <ckpt/format/detect.hpp>
#include <ckpt/io/aligned_memory.hpp>
#include <ckpt/io/source.hpp>
#include <ckpt/model/file_index.hpp>
#include <ckpt/model/state_dict.hpp>

namespace ckpt {

namespace detail {

/// Does the requests, of `total` bytes together, and reports how far they are, at least at the beginning and the end.
template <class Source>
void read_reported(const Source& from, sequence<read_request> requests, std::uint64_t total,
                   const load_options& options) {
  std::uint64_t reported = 0;
  const auto report = [&](std::uint64_t done) {
    reported = done;
    if (options.progress) options.progress({.done = done, .total = total});
  };
  report(0);
  from.read_all(requests, report);
  if (reported < total) report(total);
}

/// Reads the content of every tensor and map into one piece of memory, each tensor in one piece and aligned.
template <class Source>
[[nodiscard]] state_dict read_all(const Source& from, file_index index, const load_options& options) {
  // Each extent was found to lie within the file, and apart from the others: together they are no larger than it.
  std::uint64_t size = 0;
  std::uint64_t total = 0;
  for (const index_entry& entry : index) {
    if (entry.kind() == entry_kind::string) continue;
    size = round_up(size, aligned_memory::alignment) + entry.size_bytes();
    total += entry.size_bytes();
  }
  aligned_memory memory(static_cast<std::size_t>(size));
  trivial_vector<read_request> requests;
  std::uint64_t at = 0;
  for (std::size_t position = 0; position < index.size(); ++position) {
    const index_entry& entry = index[position];
    if (entry.kind() == entry_kind::string) continue;
    at = round_up(at, aligned_memory::alignment);
    trivial_vector<extent> places;
    for (const extent& part : entry.extents()) {
      requests.push_back({part.offset, {memory.bytes().data() + at, static_cast<std::size_t>(part.size)}});
      if (entry.kind() == entry_kind::map || places.empty()) places.push_back({at, part.size});
      else places.back().size += part.size;
      at += part.size;
    }
    index.relocate(position, places);
  }
  read_reported(from, requests, total, options);
  return {std::move(index), std::move(memory)};
}

/// The plain bytes of an encrypted file in one piece of memory, where the views of the result lie.
template <class Opened>
[[nodiscard]] state_dict load_whole(const Opened& opened, const load_options& options) {
  aligned_memory memory(static_cast<std::size_t>(opened.plain->size()));
  const read_request whole{0, memory.bytes()};
  read_reported(*opened.plain, {&whole, 1}, opened.plain->size(), options);
  file_index index = opened.template index<mindspore>(memory_source(memory.bytes(), opened.plain->label()));
  return {std::move(index), std::move(memory)};
}

/// What an opened file holds, after its checksum was verified, where the policies name one.
template <class Policies, class Opened>
[[nodiscard]] file_index index_of(const Opened& opened, const load_options& options) {
  file_index index = opened.template index<typename Policies::format>(*opened.plain);
  if constexpr (!std::is_same_v<typename Policies::checksum, no_checksum>)
    verify_checksum<typename Policies::checksum>(*opened.plain, index, options.allow_no_checksum);
  return index;
}

template <class... Policies>
[[nodiscard]] state_dict load_from(owner<const source> file, const load_options& options) {
  using chosen = policy_set<Policies...>;
  source_of<typename chosen::cipher> opened(std::move(file), options);
  constexpr bool is_plain = std::is_same_v<typename chosen::cipher, no_cipher>;
  if constexpr (!is_plain)
    if (options.read == read::map && !options.choose) return load_whole(opened, options);
  file_index index = index_of<chosen>(opened, options);
  if (options.choose) index = index.only(options.choose);
  if constexpr (is_plain)
    if (options.read == read::map) return {std::move(index), std::move(opened.plain)};
  return read_all(*opened.plain, std::move(index), options);
}

}  // namespace detail

/// Loads a checkpoint file of either format. The result owns the mapping or the memory that its views show.
/// Throws io_error where the file cannot be read, and format_error, naming the entry and the byte, where it is not a
/// checkpoint that is whole and unambiguous.
///
/// Of the policies, a cipher decrypts, with the key of the options: the whole file into memory, or with `choose` the
/// blocks that hold what is chosen (and where its seal does not say which those are, some more). Throws usage_error
/// where the key is missing or not one that the cipher takes, format_error where the file is plain or encrypted with
/// another cipher, integrity_error where the key is another, the file is not sealed, or its bytes are not those that
/// were written. A checksum is verified before anything is handed out; throws integrity_error where it is not that of
/// the file, or the file has none.
template <class... Policies>
[[nodiscard]] state_dict load(std::string path, const load_options& options = {}) {
  return detail::load_from<Policies...>(detail::open_file(std::move(path), options.read, options), options);
}

/// The same from memory. With read::map the result is a view: the bytes must outlive it.
template <class... Policies>
[[nodiscard]] state_dict load(std::span<const std::byte> bytes, const load_options& options = {}) {
  return detail::load_from<Policies...>(owner<const source>(new memory_source(bytes)), options);
}

/// Arrays and constants cannot be given away: keep them in a variable.
template <std::size_t Size>
state_dict load(const std::array<std::byte, Size>&& bytes, const load_options& options = {}) = delete;
state_dict load(const std::vector<std::byte>&& bytes, const load_options& options = {}) = delete;

/// The same from bytes that are given away: with read::map the result keeps them.
template <class... Policies>
[[nodiscard]] state_dict load(std::vector<std::byte>&& bytes, const load_options& options = {}) {
  return detail::load_from<Policies...>(owner<const source>(new owning_source(std::move(bytes))), options);
}

}  // namespace ckpt

#endif
