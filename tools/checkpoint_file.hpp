#ifndef CKPT_TOOLS_CHECKPOINT_FILE_HPP
#define CKPT_TOOLS_CHECKPOINT_FILE_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <ckpt/checkpoint/with_policies.hpp>
#include <ckpt/cipher/known_ciphers.hpp>
#include <ckpt/cipher/secret_key.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/owner.hpp>
#include <ckpt/crypto.hpp>
#include <ckpt/format/detect.hpp>
#include <ckpt/io/file_source.hpp>
#include <ckpt/json/utf8.hpp>
#include <ckpt/model/file_index.hpp>

#include "key_options.hpp"

namespace ckpt::tools {

/// Where the plain bytes of a file come from, and what they say: of an encrypted file they are decrypted as they are
/// read.
struct opened_file {
  owner<const source> bytes;
  file_index index;
  std::uint64_t size;               ///< of the file itself
  sequence<std::byte> structure{};  ///< of an encrypted file, where its seal has it
};

/// The text of an error with other advice at its end, where it ends in `advice`, which is for programs.
[[nodiscard]] inline std::optional<std::string> readvised(const error& problem, std::string_view advice,
                                                          std::string_view instead) {
  const std::string_view text = problem.text();
  if (!text.ends_with(advice)) return std::nullopt;
  return std::string(text.substr(0, text.size() - advice.size())) + std::string(instead);
}

/// Opens the bytes of a file. Throws as file_source.
[[nodiscard]] inline owner<const source> open_source(std::string path) {
  try {
    return owner<const source>(new file_source(std::move(path)));
  } catch (const usage_error& problem) {
    const auto text =
        readvised(problem, "read it into memory and load the bytes", "write what it gives to a file first");
    if (!text) throw;
    throw usage_error(problem.code(), problem.facts(), *text);
  }
}

/// What a key is for.
enum class key_use : std::uint8_t {
  needed,           ///< the file: without it an encrypted one cannot be read, and a plain one has none
  where_encrypted,  ///< the file if it is encrypted, else another one
};

/// Opens a file. Throws format_error where it is encrypted and there is no key, or the other way round.
[[nodiscard]] inline opened_file open(std::string path, const std::optional<secret_key>& key, bool allow_unsealed,
                                      key_use use) {
  owner<const source> file = open_source(std::move(path));
  const std::uint64_t size = file->size();
  const known_cipher* const cipher = find_cipher(*file);
  if (cipher == nullptr && key && use == key_use::needed)
    throw format_error(errc::not_encrypted, {.path = file->label()}, "the file is not encrypted: leave the key out");
  if (cipher == nullptr) {
    file_index index = read_index(*file);
    return {std::move(file), std::move(index), size};
  }
  if (!key)
    throw format_error(errc::encrypted, {.path = file->label()},
                       "the file is encrypted with " + std::string(cipher->name) +
                           ": say where its key is with --key-file, --key-env or --passphrase-env");
  return with_policies<aes_gcm, aes_cbc, sm4_cbc>(
      {cipher->name}, [&]<class... Chosen>(policies<Chosen...>) -> opened_file {
        using chosen = policy_set<Chosen...>;
        const load_options how{.key = *key, .allow_unsealed = allow_unsealed};
        try {
          detail::source_of<typename chosen::cipher> opened(std::move(file), how);
          file_index index = opened.template index<mindspore>(*opened.plain);
          sequence<std::byte> structure;
          if constexpr (requires { opened.plain->structure(); }) structure = opened.plain->structure();
          return {std::move(opened.plain), std::move(index), size, structure};
        } catch (const integrity_error& problem) {
          const auto text = readvised(problem, "load it with .allow_unsealed = true", "say --allow-unsealed");
          if (problem.code() != errc::unsealed || !text) throw;
          throw integrity_error(errc::unsealed, problem.facts(), *text);
        }
      });
}

/// A checkpoint file that is read a buffer at a time: larger than memory, on a network disk, or cut short meanwhile, it
/// gives errors and nothing worse.
class checkpoint_file {
 public:
  checkpoint_file(std::string path, const key_options& keys)
      : checkpoint_file(std::move(path), keys.read(), keys.allow_unsealed, key_use::needed) {}
  /// With a key that was read before: one that comes from a pipe is there once.
  checkpoint_file(std::string path, const std::optional<secret_key>& key, bool allow_unsealed, key_use use)
      : m_opened(open(std::move(path), key, allow_unsealed, use)) {}

  [[nodiscard]] const source& bytes() const noexcept { return *m_opened.bytes; }
  [[nodiscard]] const file_index& index() const noexcept { return m_opened.index; }
  /// Of the file itself, in bytes.
  [[nodiscard]] std::uint64_t size() const noexcept { return m_opened.size; }
  /// What the seal of an encrypted file says of it (cipher/structure.hpp), or nothing.
  [[nodiscard]] sequence<std::byte> structure() const noexcept { return m_opened.structure; }

 private:
  opened_file m_opened;
};

/// `, encrypted with AES-GCM and sealed`; nothing of a plain file.
[[nodiscard]] inline std::string encryption_of(const file_index& index) {
  if (index.cipher().empty()) return {};
  return ", encrypted with " + std::string(index.cipher()) + (index.is_sealed() ? " and sealed" : ", not sealed");
}

/// The content of a tensor or map from its first byte to its last, whatever pieces the file holds it in.
class content_stream {
 public:
  /// Both must outlive the stream.
  content_stream(const source& from, const index_entry& what) : m_from(from), m_what(what) {}

  /// Fills `to` as far as there is content left. Returns how many bytes that were; fewer than asked for only at the
  /// end.
  std::size_t read(std::span<std::byte> to) {
    std::size_t done = 0;
    while (done < to.size() && m_extent < m_what.extents().size()) {
      const extent part = m_what.extents()[m_extent];
      const std::uint64_t left = part.size - m_at;
      const std::size_t count = left < to.size() - done ? static_cast<std::size_t>(left) : to.size() - done;
      m_from.read(part.offset + m_at, to.subspan(done, count));
      done += count;
      m_at += count;
      if (m_at < part.size) break;
      ++m_extent;
      m_at = 0;
    }
    return done;
  }

 private:
  const source& m_from;
  const index_entry& m_what;
  std::size_t m_extent = 0;
  std::uint64_t m_at = 0;  // of the extent
};

/// Enough to keep a disk busy. A multiple of every element's size.
inline constexpr std::size_t buffer_size = std::size_t{4} << 20;

/// The first byte that is no bool.
[[nodiscard]] inline std::optional<std::size_t> find_bad_bool(std::span<const std::byte> bools) noexcept {
  for (std::size_t at = 0; at < bools.size(); ++at)
    if (bools[at] > std::byte{1}) return at;
  return std::nullopt;
}

/// The text of a string. Throws format_error where UTF-8 cannot express it.
[[nodiscard]] inline std::string_view text_of(const file_index& index, const index_entry& entry) {
  if (!is_utf8(entry.text()))
    throw format_error(errc::unsupported, {.path = index.label(), .name = std::string(entry.name()), .noun = "string"},
                       "it holds a lone surrogate, which UTF-8 cannot express");
  return entry.text();
}

[[noreturn]] inline void refuse_bool(const file_index& index, const index_entry& entry, std::byte found,
                                     std::optional<std::uint64_t> offset = std::nullopt) {
  throw format_error(errc::malformed, {.path = index.label(), .name = std::string(entry.name()), .offset = offset},
                     "a bool is " + std::to_string(std::to_integer<int>(found)) + ", neither 0 nor 1");
}

}  // namespace ckpt::tools

#endif
