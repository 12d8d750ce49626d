#ifndef CKPT_FORMAT_DETECT_HPP
#define CKPT_FORMAT_DETECT_HPP

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <ckpt/cipher/known_ciphers.hpp>
#include <ckpt/core/byte_order.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/format/foreign_file.hpp>
#include <ckpt/format/mindspore.hpp>
#include <ckpt/format/safetensors.hpp>
#include <ckpt/io/source.hpp>
#include <ckpt/model/file_index.hpp>

namespace ckpt {

namespace detail {

/// Of the first 10 bytes: a plausible length and the beginning of a JSON object. In a ckpt file the same bytes would be
/// a first name of four zeros, a brace, and a quote, a brace or a blank.
constexpr bool starts_safetensors(const std::byte* start) noexcept {
  if (load_le<std::uint64_t>(start) > safetensors::max_header_size || start[8] != std::byte{'{'}) return false;
  return std::string_view("\"} \n\r\t").find(static_cast<char>(start[9])) != std::string_view::npos;
}

}  // namespace detail

/// Finds out by its first bytes which format a file has, and indexes it. A file that starts like neither is taken as
/// safetensors where its name says so, else as ckpt. Throws format_error; errc::encrypted where the file is encrypted,
/// errc::unsupported where it is one of another kind that is known.
template <class Source>
[[nodiscard]] file_index read_index(const Source& from) {
  std::byte start[16] = {};
  const std::size_t size = from.size() < sizeof start ? static_cast<std::size_t>(from.size()) : sizeof start;
  from.read(0, {&start[0], size});
  if (const known_cipher* const cipher = find_cipher({&start[0], size}))
    throw format_error(errc::encrypted, {.path = from.label()},
                       concat({"the file is encrypted with ", cipher->name, ": load it with ", cipher->policy,
                               " of <ckpt/crypto.hpp> and its key"}));
  const bool looks_like_safetensors = size >= 10 && detail::starts_safetensors(start);
  const std::string_view begin(reinterpret_cast<const char*>(&start[0]), size);
  if (const std::string_view kind = foreign_file(begin); !looks_like_safetensors && !kind.empty())
    throw format_error(errc::unsupported, {.path = from.label()},
                       concat({"this is neither a ckpt nor a safetensors file, but ", kind}));
  if (looks_like_safetensors ||
      (from.label().ends_with(safetensors::suffix) && (size == 0 || start[0] != std::byte{0x0a})))
    return safetensors::read_index(from);
  if (size == 0 || start[0] == std::byte{0x0a}) return mindspore::read_index(from);
  try {  // as a ckpt file may begin, but hardly one does
    file_index index = mindspore::read_index(from);
    if (index.empty() && !index.has_checksum())  // all of it was passed over
      throw format_error(errc::malformed, {.path = from.label()}, "it holds nothing that is known of one");
    return index;
  } catch (const format_error& e) {
    if (!e.name().empty() || !e.facts().noun.empty()) throw;  // it had an entry: it is a ckpt file, and damaged
    throw format_error(e.code(), e.facts(),
                       concat({"this is neither a ckpt nor a safetensors file; read as ckpt: ", e.text()}));
  }
}

}  // namespace ckpt

#endif
