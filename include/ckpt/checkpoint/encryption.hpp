#ifndef CKPT_CHECKPOINT_ENCRYPTION_HPP
#define CKPT_CHECKPOINT_ENCRYPTION_HPP

#include <utility>

#include <ckpt/checkpoint/encrypting_executor.hpp>
#include <ckpt/checkpoint/options.hpp>
#include <ckpt/checkpoint/plain_source.hpp>
#include <ckpt/cipher/concept.hpp>
#include <ckpt/cipher/decrypted_source.hpp>
#include <ckpt/cipher/structure.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/owner.hpp>
#include <ckpt/io/source.hpp>
#include <ckpt/model/file_index.hpp>

namespace ckpt::detail {

/// The plain bytes of an encrypted file.
template <cipher_policy Cipher>
struct source_of<Cipher> {
  source_of(owner<const source> file, const load_options& options)
      : plain(new decrypted_source<Cipher>(
            std::move(file),
            {.key = options.key.get(), .threads = options.threads, .allow_unsealed = options.allow_unsealed})) {}

  /// What the file holds: by the structure in its seal where there is one, so that no block is decrypted for it.
  template <class Format>
  [[nodiscard]] file_index index(const decrypted_source<Cipher>& from) const {
    if (from.structure().empty()) return index_of(from);
    const structure_source structure(from.structure(), from.label());
    if (structure.size() == from.size()) return index_of(structure);
    throw integrity_error(errc::authentication, {.path = from.label()}, "the structure in the seal is of another file");
  }
  template <class Format>
  [[nodiscard]] file_index index(const memory_source& whole) const {
    return index_of(whole);
  }

  owner<const decrypted_source<Cipher>> plain;

 private:
  template <class Source>
  [[nodiscard]] file_index index_of(const Source& from) const {
    file_index found = read(from);
    found.set_encryption(Cipher::name, plain->is_sealed());
    return found;
  }

  template <class Source>
  [[nodiscard]] static file_index read(const Source& from) {
    try {
      return mindspore::read_index(from);
    } catch (const format_error& e) {
      if (e.code() == errc::changed) throw;  // of the file, not of what is in it
      throw format_error(e.code(), e.facts(), concat({"decrypted, as its bytes are counted here: ", e.text()}));
    }
  }
};

}  // namespace ckpt::detail

#endif
