#ifndef CKPT_MODEL_ENTRIES_HPP
#define CKPT_MODEL_ENTRIES_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <ckpt/core/arena.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/keeper.hpp>
#include <ckpt/core/name_index.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/core/trivial_vector.hpp>
#include <ckpt/io/source.hpp>
#include <ckpt/model/entry_kind.hpp>
#include <ckpt/model/file_index.hpp>
#include <ckpt/model/metadata_pair.hpp>
#include <ckpt/model/segment.hpp>
#include <ckpt/tensor/dtype.hpp>
#include <ckpt/tensor/shape.hpp>
#include <ckpt/tensor/tensor_view.hpp>

namespace ckpt {

/// What a save does with a name that comes twice.
enum class duplicates : std::uint8_t {
  refuse,     ///< usage_error that names it
  keep_last,  ///< the last value, in the first one's place, as MindSpore's ordered dict does
};

/// One thing to save. Its name and shape lie in the entries' memory, its content where the caller has it.
struct entry {
  std::string_view name;
  sequence<std::int64_t> shape;
  std::uint64_t size_bytes;  ///< of the content: packed elements, UTF-8 of a string, serialized slices of a map
  segment whole;             ///< the content, where it is in one piece
  sequence<segment> several;
  dtype type;  ///< of a tensor
  entry_kind kind;

  /// The content in order.
  [[nodiscard]] sequence<segment> pieces() const noexcept {
    return several.empty() ? sequence<segment>(&whole, 1) : several;
  }
};

/// A save object, walked once: the one way formats see it. Names are unique and in order.
class entries {
 public:
  /// `label` is the file's name for errors. `choose`, where not empty, is asked for each name whether to take it.
  entries(std::string label, ckpt::duplicates policy, std::function<bool(std::string_view)> choose)
      : m_label(std::move(label)), m_choose(std::move(choose)), m_duplicates(policy) {}
  entries(entries&&) noexcept = default;
  entries& operator=(entries&&) noexcept = default;

  [[nodiscard]] const std::string& label() const noexcept { return m_label; }
  [[nodiscard]] std::size_t size() const noexcept { return m_entries.size(); }
  [[nodiscard]] const entry* begin() const noexcept { return m_entries.begin(); }
  [[nodiscard]] const entry* end() const noexcept { return m_entries.end(); }

  /// The entry of that name, or nullptr.
  [[nodiscard]] const entry* find(std::string_view name) const {
    const auto name_at = [this](std::size_t position) { return m_entries[position].name; };
    const std::optional<std::size_t> position = m_names.find(name, name_at);
    return position ? &m_entries[*position] : nullptr;
  }

  /// Pairs of metadata that the save object itself carries: those of the safetensors file it was loaded from. Formats
  /// take over what is about the file as a whole.
  [[nodiscard]] sequence<metadata_pair> metadata() const noexcept { return m_metadata; }
  /// The pairs must outlive the entries.
  void set_metadata(sequence<metadata_pair> pairs) noexcept { m_metadata = pairs; }

  /// Whether the save takes this name at all.
  [[nodiscard]] bool wants(std::string_view name) {
    const bool wanted = !m_choose || m_choose(name);
    m_has_left_out = m_has_left_out || !wanted;
    return wanted;
  }
  /// Whether there was a name that it did not take.
  [[nodiscard]] bool has_left_out() const noexcept { return m_has_left_out; }

  /// Keeps a temporary alive as long as the entries, and returns it where it stays.
  template <class T>
    requires(!std::is_lvalue_reference_v<T>)
  T& hold(T&& temporary) {
    return m_held.hold(std::forward<T>(temporary));
  }

  /// The same of what a call returns, which need not be movable.
  template <class Make>
  auto& hold_result(const Make& make) {
    return m_held.hold_result(make);
  }

  /// The elements that `view` shows must outlive the entries. Throws usage_error on a name given before.
  void add_tensor(std::string_view name, const tensor_view& view) {
    const segment content = view.is_contiguous()
                                ? segment(view.bytes())
                                : segment(store(gather{&hold(tensor_view(view)), 0}), view.size_bytes());
    add({.name = name,
         .shape = view.shape().extents(),
         .size_bytes = view.size_bytes(),
         .whole = content,
         .several = {},
         .type = view.type(),
         .kind = entry_kind::tensor});
  }

  /// `text` is UTF-8 and must outlive the entries.
  void add_string(std::string_view name, std::string_view text) {
    add({.name = name,
         .shape = {},
         .size_bytes = text.size(),
         .whole = sequence<std::byte>(reinterpret_cast<const std::byte*>(text.data()), text.size()),
         .several = {},
         .type = dtype::uint8,
         .kind = entry_kind::string});
  }

  /// Content in several pieces, one after the other: a tensor's packed elements, or the slices of a map parameter. The
  /// bytes must outlive the entries; the list is copied.
  void add_pieces(std::string_view name, entry_kind kind, dtype type, sequence<std::int64_t> shape,
                  sequence<segment> pieces) {
    std::uint64_t size = 0;
    for (const segment& piece : pieces) size += piece.size();
    add({.name = name,
         .shape = shape,
         .size_bytes = size,
         .whole = sequence<std::byte>(),
         .several = m_memory.store(pieces),
         .type = type,
         .kind = kind});
  }

  /// A tensor or map of a file, whose content is read only while it is written: never more than the writer's buffer of
  /// it is in memory. The source must outlive the entries.
  void add_stored(std::string_view name, const index_entry& what, const source& from) {
    trivial_vector<segment> pieces;
    for (const extent& part : what.extents())
      pieces.push_back(segment(store(gather{nullptr, part.offset, &from}), part.size));
    add_pieces(name, what.kind(), what.type(), what.shape(), pieces);
  }

 private:
  const gather& store(const gather& value) { return *m_memory.store(&value, 1); }

  void add(entry given) {
    const auto name_at = [this](std::size_t position) { return m_entries[position].name; };
    const auto [position, is_new] = m_names.insert(given.name, name_at);
    if (!is_new && m_duplicates == duplicates::refuse)
      throw usage_error(errc::duplicate,
                        {.path = m_label, .name = std::string(given.name), .noun = ckpt::name(given.kind)},
                        "the name is given twice; rename one, or save with .duplicates = ckpt::duplicates::keep_last");
    given.shape = m_memory.store(given.shape);
    if (is_new) {
      given.name = m_memory.store(given.name);
      m_entries.push_back(given);
    } else {
      given.name = m_entries[position].name;
      m_entries[position] = given;
    }
  }

  std::string m_label;
  std::function<bool(std::string_view)> m_choose;
  trivial_vector<entry> m_entries;
  name_index m_names;
  arena m_memory;
  keeper m_held;
  sequence<metadata_pair> m_metadata;
  ckpt::duplicates m_duplicates;
  bool m_has_left_out = false;
};

}  // namespace ckpt

#endif
