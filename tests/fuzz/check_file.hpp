#ifndef CKPT_TESTS_FUZZ_CHECK_FILE_HPP
#define CKPT_TESTS_FUZZ_CHECK_FILE_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ckpt/ckpt.hpp>

#include "../unit/io/unmapped_source.hpp"

// What both fuzz targets ask of a file, whatever its bytes: a ckpt::error, or a state_dict all of whose bytes can be
// read and which is the same after it was saved and loaded again. Everything else ends the program.

namespace fuzz {

inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: this does not hold: %s\n", what);
  std::abort();
}

/// All bytes of an entry, copied out piece by piece, so that the sanitizers see each one read.
inline std::vector<std::byte> content(const ckpt::state_value& value) {
  std::vector<std::byte> bytes;
  for (std::size_t number = 0; number < value.piece_count(); ++number)
    bytes.insert(bytes.end(), value.piece(number).begin(), value.piece(number).end());
  return bytes;
}

/// The text of a string; nothing where it has no UTF-8.
inline std::optional<std::string> text(const ckpt::state_value& value) {
  try {
    return value.text();
  } catch (const ckpt::format_error&) {
    return std::nullopt;
  }
}

inline void touch(const ckpt::state_value& value) {
  switch (value.kind()) {
    case ckpt::entry_kind::string: static_cast<void>(text(value)); break;
    case ckpt::entry_kind::map: static_cast<void>(content(value)); break;
    case ckpt::entry_kind::tensor:
      require(content(value).size() == value.size_bytes(), "the pieces of a tensor add up to its size");
      require(ckpt::content_size(value.type(), value.shape()) == value.size_bytes(),
              "dtype and shape of a tensor take its size");
      break;
  }
}

inline void require_same(const ckpt::state_dict& before, const ckpt::state_dict& after) {
  require(before.format() == after.format(), "the format is the same after a save");
  require(before.size() == after.size(), "the number of entries is the same after a save");
  for (const auto& [name, value] : before) {
    const std::optional<ckpt::state_value> found = after.find(name);
    require(found.has_value(), "a name is there after a save");
    require(found->kind() == value.kind() && found->type() == value.type(), "kind and dtype are the same after a save");
    if (value.kind() == ckpt::entry_kind::string) {
      require(text(*found) == text(value), "a text is the same after a save");
      continue;
    }
    require(std::equal(value.shape().begin(), value.shape().end(), found->shape().begin(), found->shape().end()),
            "a shape is the same after a save");
    require(content(*found) == content(value), "the bytes are the same after a save");
  }
}

inline std::optional<ckpt::state_dict> load(std::span<const std::byte> bytes, const ckpt::load_options& options = {}) {
  try {
    return ckpt::load(bytes, options);
  } catch (const ckpt::error& refused) {
    require(*refused.what() != '\0', "an error says something");
    return std::nullopt;
  }
}

/// What a file holds is not always something that its format may be asked to write: a name that MindSpore cannot load.
inline std::optional<std::vector<std::byte>> save(const ckpt::state_dict& loaded) {
  try {
    return loaded.format() == "ckpt" ? ckpt::save_bytes<ckpt::mindspore>(loaded)
                                     : ckpt::save_bytes<ckpt::safetensors>(loaded);
  } catch (const ckpt::error&) {
    return std::nullopt;
  }
}

/// What an index says, or why there is none.
inline std::string index_of(const ckpt::source& from) {
  try {
    std::string all;
    const ckpt::file_index index = ckpt::read_index(from);
    for (const ckpt::index_entry& entry : index) {
      all.append(entry.name()).append(entry.text()).append(ckpt::to_string(entry.shape()));
      for (const ckpt::extent& part : entry.extents())
        all.append(std::to_string(part.offset)).append("+").append(std::to_string(part.size)).append(";");
    }
    return all;
  } catch (const ckpt::error& refused) {
    return refused.what();
  }
}

inline void check_file(std::span<const std::byte> bytes) {
  require(index_of(ckpt::memory_source(bytes)) == index_of(support::unmapped_source(bytes)),
          "mapped or read, an index is the same");
  const std::optional<ckpt::state_dict> loaded = load(bytes);
  if (!loaded) return;
  const std::optional<ckpt::state_dict> copied = load(bytes, {.read = ckpt::read::copy});
  require(copied.has_value(), "what can be viewed can be copied");
  require_same(*loaded, *copied);
  for (const auto& [name, value] : *loaded) touch(value);
  const std::optional<std::vector<std::byte>> saved = save(*loaded);
  if (!saved) return;
  const std::optional<ckpt::state_dict> again = load(*saved);
  require(again.has_value(), "what was saved can be loaded");
  require_same(*loaded, *again);
}

}  // namespace fuzz

#endif
