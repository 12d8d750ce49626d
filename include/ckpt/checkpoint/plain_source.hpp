#ifndef CKPT_CHECKPOINT_PLAIN_SOURCE_HPP
#define CKPT_CHECKPOINT_PLAIN_SOURCE_HPP

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <ckpt/checkpoint/options.hpp>
#include <ckpt/checkpoint/policies.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/owner.hpp>
#include <ckpt/format/detect.hpp>
#include <ckpt/format/mindspore.hpp>
#include <ckpt/format/safetensors.hpp>
#include <ckpt/io/source.hpp>
#include <ckpt/model/entry_kind.hpp>
#include <ckpt/model/file_index.hpp>

namespace ckpt::detail {

/// The source of a file's plain bytes: the file itself where no cipher is named. Specialized where ciphers are.
template <class Cipher>
struct source_of {
  static_assert(std::is_same_v<Cipher, no_cipher>,
                "ckpt: to use a cipher, include <ckpt/crypto.hpp> and link Crypto++");

  explicit source_of(owner<const source> file, const load_options& options) : plain(std::move(file)) {
    check_key_is_used<no_cipher>(options.key, plain->label());
  }

  /// What the plain bytes say they are. Throws as load.
  template <class Format, class Source>
  [[nodiscard]] static file_index index(const Source& from) {
    if constexpr (std::is_same_v<Format, mindspore> || std::is_same_v<Format, safetensors>) return read_index(from);
    else return of_unique_names(Format::read_index(from));
  }

  owner<const source> plain;

 private:
  [[nodiscard]] static file_index of_unique_names(file_index found) {
    if (const std::optional<std::size_t> twice = found.index_names())
      throw format_error(
          errc::duplicate,
          {.path = found.label(), .name = std::string(found[*twice].name()), .noun = name(found[*twice].kind())},
          "the file holds this name twice");
    return found;
  }
};

}  // namespace ckpt::detail

#endif
