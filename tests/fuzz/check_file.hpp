#ifndef CKPT_TESTS_FUZZ_CHECK_FILE_HPP
#define CKPT_TESTS_FUZZ_CHECK_FILE_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ckpt/checksum/crc32_cryptopp.hpp>
#include <ckpt/ckpt.hpp>

#include <sys/mman.h>
#include <unistd.h>

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

/// A file of these bytes, as long as it is there.
class file_of {
 public:
  explicit file_of(std::span<const std::byte> bytes) : m_descriptor(::memfd_create("fuzz", MFD_CLOEXEC)) {
    const bool is_there =
        m_descriptor >= 0 && ::write(m_descriptor, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
    require(is_there, "a file can be made");
  }
  file_of(const file_of&) = delete;
  file_of& operator=(const file_of&) = delete;
  ~file_of() { ::close(m_descriptor); }
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(m_descriptor); }

 private:
  int m_descriptor;
};

/// A reader of the file gives the bytes that load shows: of each tensor all, and of its outermost axis a part.
inline void check_reader(std::span<const std::byte> bytes, const ckpt::state_dict& loaded) {
  const file_of file(bytes);
  const ckpt::reader reader(file.path());
  for (const auto& [name, value] : loaded) {
    if (value.kind() != ckpt::entry_kind::tensor) continue;
    const std::vector<std::byte> whole = content(value);
    std::vector<std::byte> read(whole.size());
    reader.read_into(name, std::span(read));
    require(read == whole, "a reader reads what load shows");
    if (value.shape().empty() || whole.empty()) continue;
    const std::int64_t rows = value.shape()[0];
    const std::size_t row = whole.size() / static_cast<std::size_t>(rows);
    if (row * static_cast<std::size_t>(rows) != whole.size()) continue;  // rows that end inside a byte
    if (ckpt::info(value.type()).bits % 8 != 0) continue;
    const std::int64_t first = rows / 3;
    const std::int64_t last = rows - rows / 4;
    read.resize(row * static_cast<std::size_t>(last - first));
    reader.read_into(name, std::span(read), {{first, last}});
    require(std::equal(read.begin(), read.end(), whole.begin() + first * static_cast<std::ptrdiff_t>(row)),
            "a slice is that part of the tensor");
  }
}

/// A network like the file is filled with what load shows, from the bytes and from what was loaded.
inline void check_load_into(std::span<const std::byte> bytes, const ckpt::state_dict& loaded) {
  std::map<std::string, ckpt::tensor, std::less<>> net;
  for (const auto& [name, value] : loaded)
    if (value.kind() == ckpt::entry_kind::tensor)
      net.emplace(name, ckpt::tensor(value.type(), ckpt::shape(value.shape())));
  if (net.empty()) return;
  const auto check = [&](const auto& from) {
    try {
      require(ckpt::load_into(from, net).filled == net.size(), "all of a network is filled");
    } catch (const ckpt::format_error& refused) {  // a bool that is neither 0 nor 1
      require(*refused.what() != '\0', "an error says something");
      return;
    } catch (const ckpt::usage_error&) {  // a name that no cell may have
      return;
    }
    for (const auto& [name, filled] : net)
      require(std::ranges::equal(filled.bytes(), content(*loaded.find(name))), "a network holds what load shows");
  };
  check(bytes);
  check(loaded);
}

/// What is chosen is what it is in the whole, viewed or copied.
inline void check_choice(std::span<const std::byte> bytes, const ckpt::state_dict& loaded) {
  const auto odd = [](std::string_view name) { return name.size() % 2 != 0; };
  const std::optional<ckpt::state_dict> viewed = load(bytes, {.choose = odd});
  const std::optional<ckpt::state_dict> copied = load(bytes, {.read = ckpt::read::copy, .choose = odd});
  require(viewed && copied, "of what can be loaded a part can");
  require_same(*viewed, *copied);
  std::size_t chosen = 0;
  for (const auto& [name, value] : loaded) chosen += odd(name) ? 1 : 0;
  require(viewed->size() == chosen, "what is chosen is there, and nothing else");
  for (const auto& [name, value] : *viewed)
    if (value.kind() == ckpt::entry_kind::tensor)
      require(content(value) == content(*loaded.find(name)), "what is chosen is the same");
}

/// A checksum is verified alike, mapped or read: the file is taken by both or by none.
inline void check_checksum(std::span<const std::byte> bytes) {
  const auto verdict = [&](const ckpt::source& from) -> std::string {
    try {
      ckpt::verify_checksum<ckpt::crc32_cryptopp>(from, ckpt::read_index(from), true);
      return {};
    } catch (const ckpt::error& refused) {
      return refused.what();
    }
  };
  require(verdict(ckpt::memory_source(bytes)) == verdict(support::unmapped_source(bytes)),
          "mapped or read, a checksum is the same");
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
  check_reader(bytes, *loaded);
  check_load_into(bytes, *loaded);
  check_choice(bytes, *loaded);
  check_checksum(bytes);
  const std::optional<std::vector<std::byte>> saved = save(*loaded);
  if (!saved) return;
  const std::optional<ckpt::state_dict> again = load(*saved);
  require(again.has_value(), "what was saved can be loaded");
  require_same(*loaded, *again);
}

}  // namespace fuzz

#endif
