#ifndef CKPT_FORMAT_SAFETENSORS_WRITER_HPP
#define CKPT_FORMAT_SAFETENSORS_WRITER_HPP

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <ckpt/core/byte_order.hpp>
#include <ckpt/core/byte_span.hpp>
#include <ckpt/core/checked.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/name_index.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/core/trivial_vector.hpp>
#include <ckpt/format/checksum_place.hpp>
#include <ckpt/format/plan.hpp>
#include <ckpt/format/safetensors_checksum.hpp>
#include <ckpt/format/safetensors_schema.hpp>
#include <ckpt/json/utf8.hpp>
#include <ckpt/json/writer.hpp>
#include <ckpt/model/entries.hpp>
#include <ckpt/model/metadata_pair.hpp>
#include <ckpt/tensor/dtype.hpp>

namespace ckpt {

/// Plans a safetensors file as the safetensors crate 0.8 writes it: tensors by the crate's order of dtypes, widest
/// first, then by name; a header without blanks, padded with spaces. The metadata has "format" first (see format_pair),
/// then what a loaded file said of itself and its tensors, the caller's pairs, the markers of int4 tensors in the order
/// of the data, and the strings in theirs: what a loaded file says is there when it is saved again. A template as
/// mindspore_reader is.
template <class Entries>
class safetensors_writer {
 public:
  safetensors_writer(const Entries& from, const format_options& options)
      : m_entries(from),
        m_metadata(options.metadata),
        m_format_pair(options.format_pair),
        m_align(options.align > safetensors_schema::header_alignment ? options.align
                                                                     : safetensors_schema::header_alignment),
        m_checksum(options.checksum) {}

  /// Throws usage_error for an entry, name or metadata pair that a safetensors file cannot hold.
  [[nodiscard]] plan make_plan() {
    collect_metadata();
    m_tensors.reserve(m_entries.size());
    for (const entry& next : m_entries) collect(next);
    sort();
    for (const placed& tensor : m_tensors)
      if (tensor.what->type == dtype::int4) add_marker(*tensor.what);
    for (const entry& next : m_entries)
      if (next.kind == entry_kind::string) add_string(next);
    require_no_types();
    m_plan.reserve(m_tensors.size() + 1);
    add_header();
    for (const placed& tensor : m_tensors) m_plan.add_content(*tensor.what, 0, tensor.what->size_bytes);
    return std::move(m_plan);
  }

 private:
  /// A tensor and what decides on its place.
  struct placed {
    const entry* what;
    std::uint64_t key;  // of the name: the 8 bytes behind what all names begin with, the first one highest
    dtype stored;       // whose place in the enumeration is that in the crate's order
  };

  [[noreturn]] void refuse(errc code, const std::string& text) const {
    throw usage_error(code, {.path = m_entries.label()}, text);
  }
  [[noreturn]] void refuse(const entry& bad, errc code, const std::string& text) const {
    throw usage_error(code, {.path = m_entries.label(), .name = std::string(bad.name), .noun = name(bad.kind)}, text);
  }

  void collect_metadata() {
    using namespace safetensors_schema;
    if (m_entries.size() == 0 && m_entries.metadata().empty() && m_metadata.empty() && !m_checksum) return;
    if (m_format_pair == format_pair::added && !is_for_others()) set_format(format_value);
    if (m_checksum) {
      if (is_given(checksum_key))
        refuse(errc::duplicate, "the metadata given has a \"crc_num\", and the checksum of this save is to be there");
      add_pair({checksum_key, {}});
    }
    for (const auto& [key, value] : m_entries.metadata()) {
      if (key == format_key) set_format(value);
      if ((key == redundancy_key || is_about_tensor(key, value)) && !is_given(key)) add_pair({key, value});
    }
    bool has_format = false;
    for (const auto& [key, value] : m_metadata) {
      if (!is_utf8(key)) refuse(errc::malformed, "a metadata key is not UTF-8");
      if (!is_utf8(value))
        refuse(errc::malformed, concat({"the value of the metadata key \"", key, "\" is not UTF-8"}));
      const bool is_format = key == format_key && !has_format;
      if (is_format) set_format(value);
      has_format = has_format || is_format;
      if (!is_format && !add_pair({key, value}))
        refuse(errc::duplicate, concat({"the metadata key \"", key, "\" is given twice"}));
    }
  }

  [[nodiscard]] bool is_tensor(std::string_view name) const {
    const entry* const named = m_entries.find(name);
    return named != nullptr && named->kind == entry_kind::tensor;
  }

  /// Whether a pair says something of a tensor, other than that it is an int4 one.
  [[nodiscard]] bool is_about_tensor(std::string_view key, std::string_view value) const {
    return is_tensor(key) && value != safetensors_schema::int4_value && !safetensors_schema::is_reserved(key);
  }

  /// Whether MindSpore could not load the file with "format": "ms" in it, or not in any case: see require_no_types().
  [[nodiscard]] bool is_for_others() const {
    if (is_tensor(safetensors_schema::format_key)) return true;
    for (const auto& [key, value] : m_entries.metadata())
      if (is_about_tensor(key, value)) return true;
    for (const auto& [key, value] : m_metadata)
      if (is_about_tensor(key, value)) return true;
    return false;
  }

  /// Whether the caller's metadata has this key.
  [[nodiscard]] bool is_given(std::string_view key) const noexcept {
    for (const auto& given : m_metadata)
      if (given.key == key) return true;
    return false;
  }

  [[nodiscard]] auto key_at() const noexcept {
    return [this](std::size_t position) { return m_pairs[position].key; };
  }

  /// The pair stays where it is, if there is one.
  void set_format(std::string_view value) {
    using namespace safetensors_schema;
    if (!add_pair({format_key, value})) m_pairs[*m_keys.find(format_key, key_at())].value = value;
  }

  /// False where the key is there already.
  bool add_pair(metadata_pair next) {
    if (!m_keys.insert(next.key, key_at()).is_new) return false;
    m_pairs.push_back(next);
    return true;
  }

  [[nodiscard]] const metadata_pair* find_pair(std::string_view key) const {
    const std::optional<std::size_t> position = m_keys.find(key, key_at());
    return position ? &m_pairs[*position] : nullptr;
  }

  void collect(const entry& next) {
    if (!is_utf8(next.name)) refuse(next, errc::invalid_name, "the name is not UTF-8");
    if (next.name == safetensors_schema::metadata_name)
      refuse(next, errc::invalid_name, "safetensors reserves this name for itself; rename it, or save as ckpt");
    if (next.kind == entry_kind::map)
      refuse(next, errc::unsupported, "a safetensors file cannot hold a map parameter; save it as ckpt");
    if (next.kind == entry_kind::tensor) collect_tensor(next);
    const std::optional<std::uint64_t> total = checked_add(m_data_size, next.size_bytes);
    if (!total || *total >> 62 != 0) refuse(next, errc::unsupported, "with it the file passes 2^62 bytes");
    m_data_size = *total;
  }

  void add_string(const entry& next) {
    const sequence<std::byte> bytes = next.whole.bytes();
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (const std::optional<std::size_t> bad = first_invalid_utf8(text))
      refuse(next, errc::malformed, concat({"the text is not UTF-8 at its byte ", std::to_string(*bad)}));
    if (safetensors_schema::is_reserved(next.name))
      refuse(next, errc::invalid_name,
             "a safetensors file keeps strings in its metadata, where this name is MindSpore's; rename it, or save as "
             "ckpt");
    if (!add_pair({next.name, text}) && find_pair(next.name)->value != text)
      refuse(next, errc::duplicate, "the metadata given has another value of this name; rename one of them");
  }

  void add_marker(const entry& next) {
    using namespace safetensors_schema;
    if (is_reserved(next.name) || (!add_pair({next.name, int4_value}) && find_pair(next.name)->value != int4_value))
      refuse(next, errc::invalid_name,
             "an int4 tensor is marked by its name in the metadata, where this name is taken; rename it");
  }

  /// MindSpore takes the pair of a tensor's name for its type (_load_safetensors_into_param_dict in serialization.py),
  /// and cannot load a file where it is none: no file that is meant for it has such a pair.
  void require_no_types() const {
    using namespace safetensors_schema;
    const metadata_pair* const format = find_pair(format_key);
    if (!m_checksum && (format == nullptr || format->value != format_value)) return;
    for (const metadata_pair& pair : m_pairs) {
      if (is_tensor(pair.key) && pair.value != int4_value)
        refuse(*m_entries.find(pair.key), errc::invalid_name,
               "the metadata has a pair of this name, which MindSpore would take for the tensor's type, and not load "
               "the file; rename one of them, or save as ckpt");
    }
  }

  void collect_tensor(const entry& next) {
    using namespace safetensors_schema;
    if (next.type == dtype::int4) {
      m_tensors.push_back({&next, 0, dtype::int8});
      return;
    }
    if (info(next.type).safetensors.empty())
      refuse(next, errc::unsupported,
             concat({"a safetensors file cannot hold ", name(next.type), "; save it as ckpt, or convert it first"}));
    if (next.type == dtype::int8 && !m_metadata.empty()) {
      const metadata_pair* const marker = find_pair(next.name);
      if (marker != nullptr && marker->value == int4_value)
        refuse(next, errc::invalid_name, "the metadata given marks this int8 tensor as int4; leave that pair out");
    }
    m_tensors.push_back({&next, 0, next.type});
  }

  void sort() {
    if (m_tensors.empty()) return;
    std::string_view common = m_tensors[0].what->name;
    for (const placed& tensor : m_tensors) {
      std::size_t same = 0;
      while (same < common.size() && same < tensor.what->name.size() && common[same] == tensor.what->name[same]) ++same;
      common = common.substr(0, same);
    }
    for (placed& tensor : m_tensors) {
      const std::string_view rest = tensor.what->name.substr(common.size(), 8);
      for (std::size_t i = 0; i < 8; ++i)
        tensor.key = tensor.key << 8 | (i < rest.size() ? static_cast<unsigned char>(rest[i]) : 0u);
    }
    const auto before = [](const placed& a, const placed& b) {
      if (a.stored != b.stored) return a.stored > b.stored;
      return a.key != b.key ? a.key < b.key : a.what->name < b.what->name;
    };
    std::sort(m_tensors.begin(), m_tensors.end(), before);
  }

  /// The header, told to `out` piece by piece: once to know its size, once to write it.
  template <class Out>
  void emit(Out out) const {
    std::string_view separator = "{";
    if (!m_pairs.empty()) {
      separator = R"({"__metadata__":{)";
      for (const auto& [key, value] : m_pairs) {
        out.raw(separator);
        out.string(key);
        out.raw(":");
        if (m_checksum && key == safetensors_schema::checksum_key) out.checksum();
        else out.string(value);
        separator = ",";
      }
      out.raw("}");
    }
    std::uint64_t offset = 0;
    for (const placed& tensor : m_tensors) {
      out.raw(separator);
      separator = ",";
      out.string(tensor.what->name);
      out.raw(R"(:{"dtype":")");
      out.raw(info(tensor.stored).safetensors);
      out.raw(R"(","shape":[)");
      std::string_view comma;
      for (const std::int64_t extent : tensor.what->shape) {
        out.raw(comma);
        out.number(static_cast<std::uint64_t>(extent));
        comma = ",";
      }
      out.raw(R"(],"data_offsets":[)");
      out.number(offset);
      out.raw(",");
      out.number(offset += tensor.what->size_bytes);
      out.raw("]}");
    }
    out.raw(m_pairs.empty() && m_tensors.empty() ? "{}" : "}");
  }

  struct measure {
    std::uint64_t& size;
    void raw(std::string_view text) { size += text.size(); }
    void string(std::string_view text) { size += json_string_size(text); }
    void number(std::uint64_t value) { size += json_number_size(value); }
    void checksum() { size += safetensors_schema::checksum_slot_size; }
  };

  struct write {
    char*& to;
    char*& checksum_at;
    void raw(std::string_view text) { to = write_json_raw(to, text); }
    void string(std::string_view text) { to = write_json_string(to, text); }
    void number(std::uint64_t value) { to = write_json_number(to, value); }
    void checksum() {
      checksum_at = to;
      safetensors_schema::render_checksum(0,
                                          {reinterpret_cast<std::byte*>(to), safetensors_schema::checksum_slot_size});
      to += safetensors_schema::checksum_slot_size;
    }
  };

  void add_header() {
    using namespace safetensors_schema;
    if (!std::has_single_bit(m_align))
      refuse(errc::invalid_argument, concat({"align is ", std::to_string(m_align), ", which is no power of two"}));
    std::uint64_t size = length_size;
    emit(measure{size});
    const std::uint64_t padded = round_up(size, m_align);
    if (padded - length_size > max_header_size)
      refuse(errc::unsupported,
             concat({"the header of a safetensors file takes at most 100000000 bytes; this one would take ",
                     std::to_string(padded - length_size), ": save as ckpt, or in several files"}));
    const byte_span bytes = m_plan.add_owned(static_cast<std::size_t>(padded));
    store_le(bytes.data(), padded - length_size);
    char* to = reinterpret_cast<char*>(bytes.data()) + length_size;
    char* checksum_at = nullptr;
    emit(write{to, checksum_at});
    std::memset(to, ' ', static_cast<std::size_t>(padded - size));
    if (m_checksum)
      add_checksum(static_cast<std::uint64_t>(checksum_at - reinterpret_cast<char*>(bytes.data())), padded);
  }

  void add_checksum(std::uint64_t slot, std::uint64_t data_begin) {
    using namespace safetensors_schema;
    checksum_place place{.offset = slot, .size = checksum_slot_size, .render = render_checksum};
    place.parts.reserve(m_tensors.size());
    std::uint64_t offset = data_begin;
    for (const placed& tensor : m_tensors) {
      place.parts.push_back(counted(*tensor.what, offset));
      offset += tensor.what->size_bytes;
    }
    sort_by_name(place.parts);
    m_plan.set_checksum(std::move(place));
  }

  /// What a tensor whose data begins at byte `offset` adds to the checksum.
  [[nodiscard]] static checksum_part counted(const entry& what, std::uint64_t offset) {
    checksum_part part{.offset = offset, .size = what.size_bytes, .before = what.name};
    std::byte content[sizeof(std::uint64_t)];
    if (!what.shape.empty() || what.size_bytes > sizeof content) return part;
    std::size_t done = 0;
    for (const segment& piece : what.pieces()) {
      const auto size = static_cast<std::size_t>(piece.size());
      piece.copy_to(0, {&content[done], size});
      done += size;
    }
    safetensors_schema::count_zeros(part, what.type, {&content[0], done});
    return part;
  }

  const Entries& m_entries;
  sequence<metadata_pair> m_metadata;
  format_pair m_format_pair;
  std::uint64_t m_align;
  bool m_checksum;
  trivial_vector<metadata_pair> m_pairs;
  name_index m_keys;
  trivial_vector<placed> m_tensors;
  std::uint64_t m_data_size = 0;
  plan m_plan;
};

}  // namespace ckpt

#endif
