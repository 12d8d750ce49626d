#ifndef CKPT_MODEL_FILE_INDEX_HPP
#define CKPT_MODEL_FILE_INDEX_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <ckpt/core/arena.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/function_ref.hpp>
#include <ckpt/core/name_index.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/core/trivial_vector.hpp>
#include <ckpt/model/entry_kind.hpp>
#include <ckpt/model/metadata_pair.hpp>
#include <ckpt/model/metadata_pairs.hpp>
#include <ckpt/tensor/dtype.hpp>
#include <ckpt/tensor/shape.hpp>

namespace ckpt {

/// The bytes [offset, offset + size) of a file.
struct extent {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

/// What a file says of one entry. Lives in its file_index.
class index_entry {
 public:
  [[nodiscard]] std::string_view name() const noexcept { return {m_name, std::size_t{m_name_size}}; }
  [[nodiscard]] entry_kind kind() const noexcept { return m_kind; }
  /// The element type of a tensor; uint8 for a string or a map.
  [[nodiscard]] dtype type() const noexcept { return m_type; }
  /// The extents of a tensor, outermost first; none for a string or a map.
  [[nodiscard]] sequence<std::int64_t> shape() const noexcept {
    if (m_kind == entry_kind::string) return {};
    return {m_shape, m_rank};
  }
  /// The bytes of the content: of a tensor or map all extents together, of a string its UTF-8 text.
  [[nodiscard]] std::uint64_t size_bytes() const noexcept { return m_content.size; }
  /// Where the content of a tensor or map lies, in order. More than one for a tensor that was cut into chunks and for
  /// the slices of a map; none for a string.
  [[nodiscard]] sequence<extent> extents() const noexcept {
    return {m_extents == 1 ? &m_content : m_several, m_extents};
  }
  /// The text of a string, in UTF-8 (a lone surrogate, which only a ckpt file can hold, as its three bytes); empty for
  /// other kinds.
  [[nodiscard]] std::string_view text() const noexcept {
    return m_kind == entry_kind::string ? std::string_view(m_text, static_cast<std::size_t>(size_bytes()))
                                        : std::string_view();
  }

 private:
  friend class file_index;

  const char* m_name = nullptr;
  extent m_content;  // its offset only where there is one extent
  union {
    const std::int64_t* m_shape = nullptr;
    const char* m_text;  // of a string
  };
  const extent* m_several = nullptr;
  std::uint32_t m_name_size = 0;
  std::uint32_t m_extents = 0;
  std::uint32_t m_rank = 0;
  dtype m_type = dtype::uint8;
  entry_kind m_kind = entry_kind::tensor;
};

static_assert(sizeof(index_entry) == 56, "a file has a hundred thousand of them");

/// All that a checkpoint file says without its data: names, kinds, dtypes, shapes and the places of the bytes,
/// validated, in the order of the file. Stands on its own: the file may be closed. Move only; what it hands out lives
/// as long as it.
class file_index {
 public:
  using metadata_pair = ckpt::metadata_pair;

  /// `format` is a literal, the format policy's name; `label` is the path, or what stands for one in errors.
  file_index(std::string_view format, std::string label, std::uint64_t file_size)
      : m_format(format), m_label(std::move(label)), m_file_size(file_size) {}
  file_index(file_index&&) noexcept = default;
  file_index& operator=(file_index&&) noexcept = default;

  /// "ckpt" or "safetensors".
  [[nodiscard]] std::string_view format() const noexcept { return m_format; }
  [[nodiscard]] const std::string& label() const& noexcept { return m_label; }
  [[nodiscard]] std::uint64_t file_size() const noexcept { return m_file_size; }
  /// The pairs of a safetensors file's `__metadata__`, in the order of the file.
  [[nodiscard]] sequence<metadata_pair> metadata() const& noexcept { return m_metadata; }
  /// Whether the file carries a CRC-32. It is not verified here.
  [[nodiscard]] bool has_checksum() const noexcept { return m_has_checksum; }
  /// What the file is encrypted with, as "AES-GCM"; empty where it is plain.
  [[nodiscard]] std::string_view cipher() const noexcept { return m_cipher; }
  /// Whether it is encrypted and sealed: its blocks are all there, in place, and those that were written.
  [[nodiscard]] bool is_sealed() const noexcept { return m_is_sealed; }

  [[nodiscard]] std::size_t size() const noexcept { return m_entries.size(); }
  [[nodiscard]] bool empty() const noexcept { return m_entries.empty(); }
  [[nodiscard]] const index_entry* begin() const& noexcept { return m_entries.begin(); }
  [[nodiscard]] const index_entry* end() const& noexcept { return m_entries.end(); }
  [[nodiscard]] const index_entry& operator[](std::size_t position) const& noexcept { return m_entries[position]; }

  /// The entry of that name, or nullptr. Of entries that index_names() has seen.
  [[nodiscard]] const index_entry* find(std::string_view name) const& {
    const std::optional<std::size_t> position = m_names.find(name, name_at());
    return position ? &m_entries[*position] : nullptr;
  }

  /// The entry of that name. Throws mismatch_error where there is none.
  [[nodiscard]] const index_entry& at(std::string_view name) const& {
    const index_entry* const entry = find(name);
    if (entry == nullptr)
      throw mismatch_error(errc::missing, {.path = m_label, .name = std::string(name), .noun = "entry"},
                           concat({"there is none of that name among ", std::to_string(size())}));
    return *entry;
  }

  // Of a temporary these would be gone with the statement: keep what inspect returns in a variable.
  const std::string& label() const&& = delete;
  sequence<metadata_pair> metadata() const&& = delete;
  const index_entry* begin() const&& = delete;
  const index_entry* end() const&& = delete;
  const index_entry& operator[](std::size_t position) const&& = delete;
  const index_entry* find(std::string_view name) const&& = delete;
  const index_entry& at(std::string_view name) const&& = delete;

  // For the readers of formats, which validate before they add:

  /// Appends a tensor or map; everything given is copied. index_names() comes after the last.
  void add(std::string_view name, entry_kind kind, dtype type, sequence<std::int64_t> shape, sequence<extent> where) {
    if (name.size() > max_count || shape.size() > max_count || where.size() > max_count)
      throw format_error(errc::unsupported, {.path = m_label},
                         "a name, a shape or a list of chunks has over 4294967295 parts");
    index_entry& added = m_entries.emplace_back();
    added.m_name = m_memory.store(name).data();
    added.m_name_size = static_cast<std::uint32_t>(name.size());
    added.m_kind = kind;
    added.m_type = type;
    added.m_shape = m_memory.store(shape.data(), shape.size());
    added.m_rank = static_cast<std::uint32_t>(shape.size());
    place(added, where);
  }

  /// Appends a string, likewise.
  void add_string(std::string_view name, std::string_view text) {
    add(name, entry_kind::string, dtype::uint8, {}, {});
    m_entries.back().m_text = m_memory.store(text).data();
    m_entries.back().m_content.size = text.size();
  }

  /// Lets the entries that were added be found by their names. Returns the position of the first whose name one before
  /// it has; it and those after it are not found then. All at once, because looks into a large table that wait for no
  /// other overlap in the processor, which took a fifth off the time that a file takes.
  [[nodiscard]] std::optional<std::size_t> index_names() {
    m_names.reserve(m_entries.size());
    for (std::size_t at = m_names.size(); at < m_entries.size(); ++at)
      if (!m_names.insert(m_entries[at].name(), name_at()).is_new) return at;
    return std::nullopt;
  }

  /// Gives a tensor or map other extents: those it has in the memory that its content was copied to.
  void relocate(std::size_t position, sequence<extent> where) { place(m_entries[position], where); }

  /// The same, of the entries alone whose names `choose` accepts.
  [[nodiscard]] file_index only(function_ref<bool(std::string_view)> choose) const {
    file_index chosen(m_format, m_label, m_file_size);
    chosen.m_has_checksum = m_has_checksum;
    chosen.set_encryption(m_cipher, m_is_sealed);
    chosen.m_metadata = m_metadata;
    for (const index_entry& from : m_entries) {
      if (!choose(from.name())) continue;
      if (from.kind() == entry_kind::string) chosen.add_string(from.name(), from.text());
      else chosen.add(from.name(), from.kind(), from.type(), from.shape(), from.extents());
    }
    static_cast<void>(chosen.index_names());  // none comes twice: none did
    return chosen;
  }

  void add_metadata(std::string_view key, std::string_view value) { m_metadata.add(key, value); }
  void set_has_checksum() noexcept { m_has_checksum = true; }
  /// `cipher` is a literal.
  void set_encryption(std::string_view cipher, bool is_sealed) noexcept {
    m_cipher = cipher;
    m_is_sealed = is_sealed;
  }
  void reserve(std::size_t count) { m_entries.reserve(count); }

 private:
  struct name_lookup {
    const trivial_vector<index_entry>& entries;
    std::string_view operator()(std::size_t position) const noexcept { return entries[position].name(); }
  };
  [[nodiscard]] name_lookup name_at() const noexcept { return {m_entries}; }

  void place(index_entry& added, sequence<extent> where) {
    added.m_extents = static_cast<std::uint32_t>(where.size());
    if (where.size() == 1) {
      added.m_content = where.front();
    } else {
      added.m_content = {};
      for (const extent& part : where) added.m_content.size += part.size;
      added.m_several = m_memory.store(where.data(), where.size());
    }
  }

  static constexpr std::size_t max_count = ~std::uint32_t{0};

  std::string_view m_format;
  std::string m_label;
  std::uint64_t m_file_size;
  trivial_vector<index_entry> m_entries;
  name_index m_names;
  arena m_memory;
  metadata_pairs m_metadata;
  std::string_view m_cipher;
  bool m_has_checksum = false;
  bool m_is_sealed = false;
};

}  // namespace ckpt

#endif
