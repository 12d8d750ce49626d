#ifndef CKPT_FORMAT_SAFETENSORS_READER_HPP
#define CKPT_FORMAT_SAFETENSORS_READER_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <ckpt/core/arena.hpp>
#include <ckpt/core/byte_order.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/excerpt.hpp>
#include <ckpt/core/name_index.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/core/trivial_vector.hpp>
#include <ckpt/format/safetensors_schema.hpp>
#include <ckpt/io/source.hpp>
#include <ckpt/json/reader.hpp>
#include <ckpt/model/file_index.hpp>
#include <ckpt/tensor/dtype.hpp>
#include <ckpt/tensor/shape.hpp>
#include <ckpt/tensor/tensor_view.hpp>

namespace ckpt {

/// Indexes a safetensors file: takes and refuses what the safetensors crate 0.8 does, but refuses a name or metadata
/// key that comes twice, an extent past 2^63 - 1, a shape that passes that without its zeros, and a tensor entry that
/// is not an object with a dtype in quotes. Reads the header whole and nothing of the data. A template as
/// mindspore_reader is.
template <class Source>
class safetensors_reader {
 public:
  safetensors_reader(const Source& from, std::string_view format)
      : m_source(from), m_index(format, from.label(), from.size()) {}

  /// The tensors in the order of their data, then the strings in the order of the metadata. Throws format_error for
  /// what the format does not allow, and what source::read throws.
  [[nodiscard]] file_index read() {
    using namespace safetensors_schema;
    const std::string_view text = read_header();
    m_data_begin = length_size + text.size();
    json_reader json(text, m_strings, m_index.label(), length_size);
    read_members(json);
    add_tensors();
    check_places();
    add_strings();
    return std::move(m_index);
  }

 private:
  /// A member of the header, before all are known and can be put in order.
  struct record {
    std::string_view name;
    std::uint64_t begin;  // data_offsets
    std::uint64_t end;
    std::uint32_t name_at;  // bytes of the file
    std::uint32_t offsets_at;
    std::uint32_t shape;  // its first extent in m_extents
    std::uint32_t rank;
    dtype type;
  };

  [[noreturn]] void refuse(errc code, std::uint64_t offset, const std::string& text,
                           std::string_view tensor = {}) const {
    throw format_error(code,
                       {.path = m_index.label(),
                        .name = std::string(tensor),
                        .noun = tensor.data() == nullptr ? std::string_view() : "tensor",
                        .offset = offset},
                       text);
  }

  [[nodiscard]] std::string_view read_header() {
    using namespace safetensors_schema;
    const std::uint64_t file_size = m_source.size();
    if (file_size < length_size)
      refuse(errc::truncated, 0,
             concat({"a safetensors file begins with the 8 bytes of its header's length; this one has ",
                     std::to_string(file_size)}));
    std::byte length[length_size];
    m_source.read(0, length);
    const auto size = load_le<std::uint64_t>(length);
    if (size > max_header_size)
      refuse(errc::malformed, 0,
             concat({"the header's length is ", std::to_string(size), "; at most 100000000 is allowed"}));
    if (size > file_size - length_size)
      refuse(errc::truncated, 0,
             concat({"the header takes ", std::to_string(size), " bytes, but only ",
                     std::to_string(file_size - length_size), " follow its length"}));
    const auto count = static_cast<std::size_t>(size);
    if (const std::byte* const data = m_source.data())
      return {reinterpret_cast<const char*>(data) + length_size, count};
    std::byte* const header = m_strings.allocate(count);
    m_source.read(length_size, {header, count});
    return {reinterpret_cast<const char*>(header), count};
  }

  void read_members(json_reader& json) {
    using namespace safetensors_schema;
    bool has_metadata = false;
    json.begin_object();
    while (json.next_key()) {
      const std::string_view name = json.key();
      if (name == metadata_name) {
        if (has_metadata) refuse(errc::duplicate, json.key_offset(), "__metadata__ comes twice");
        has_metadata = true;
        read_metadata(json);
      } else {
        json.about("tensor", name);
        read_tensor(json, name);
        json.about({}, {});
      }
    }
    json.finish();
  }

  [[nodiscard]] auto metadata_key() const noexcept {
    return [this](std::size_t position) { return m_index.metadata()[position].key; };
  }

  void read_metadata(json_reader& json) {
    if (json.read_null()) return;
    json.begin_object();
    while (json.next_key()) {
      const std::string_view key = json.key();
      if (!m_metadata_keys.insert(key, metadata_key()).is_new)
        refuse(errc::duplicate, json.key_offset(), concat({"the metadata key \"", excerpt(key), "\" comes twice"}));
      const std::string_view value = json.read_string();
      m_index.add_metadata(key, value);
      m_has_int4 = m_has_int4 || value == safetensors_schema::int4_value;
      if (key == safetensors_schema::checksum_key) m_index.set_has_checksum();
    }
  }

  void read_tensor(json_reader& json, std::string_view name) {
    using namespace safetensors_schema;
    const std::uint64_t name_at = json.key_offset();
    record read{.name = name,
                .begin = 0,
                .end = 0,
                .name_at = static_cast<std::uint32_t>(name_at),
                .offsets_at = 0,
                .shape = static_cast<std::uint32_t>(m_extents.size()),
                .rank = 0,
                .type = {}};
    bool has_dtype = false;
    bool has_shape = false;
    bool has_offsets = false;
    json.begin_object();
    const auto once = [&](bool& seen, std::string_view field) {
      if (seen) refuse(errc::malformed, json.key_offset(), concat({"\"", field, "\" comes twice"}), name);
      seen = true;
    };
    while (json.next_key()) {
      const std::string_view field = json.key();
      if (field == dtype_field) {
        once(has_dtype, field);
        read.type = read_dtype(json, name);
      } else if (field == shape_field) {
        once(has_shape, field);
        read.rank = read_shape(json, name);
      } else if (field == offsets_field) {
        once(has_offsets, field);
        read_offsets(json, read);
      } else {
        json.skip_value();
      }
    }
    const std::string_view missing = !has_dtype ? dtype_field : !has_shape ? shape_field : offsets_field;
    if (!has_dtype || !has_shape || !has_offsets)
      refuse(errc::malformed, name_at, concat({"\"", missing, "\" is missing"}), name);
    check_size(read);
    m_records.push_back(read);
  }

  [[nodiscard]] dtype read_dtype(json_reader& json, std::string_view tensor) {
    const std::uint64_t at = json.offset();
    const std::string_view name = json.read_string();
    const dtype_info* const known = dtype_from_safetensors(name, m_last_type);
    if (known == nullptr) refuse(errc::unsupported, at, concat({"dtype \"", excerpt(name), "\" is unknown"}), tensor);
    m_last_type = known->type;
    return known->type;
  }

  [[nodiscard]] std::uint32_t read_shape(json_reader& json, std::string_view tensor) {
    std::uint32_t rank = 0;
    for (json.begin_array(); json.next_element(); ++rank) {
      const std::uint64_t at = json.offset();
      const std::uint64_t extent = json.read_u64();
      if (extent >> 63 != 0)
        refuse(errc::unsupported, at, concat({"extent ", std::to_string(extent), " passes 2^63 - 1"}), tensor);
      m_extents.push_back(static_cast<std::int64_t>(extent));
    }
    return rank;
  }

  void read_offsets(json_reader& json, record& read) const {
    read.offsets_at = static_cast<std::uint32_t>(json.offset());
    std::size_t count = 0;
    for (json.begin_array(); json.next_element(); ++count) {
      const std::uint64_t value = json.read_u64();
      if (count < 2) (count == 0 ? read.begin : read.end) = value;
    }
    if (count != 2)
      refuse(errc::malformed, read.offsets_at,
             concat({"data_offsets are ", std::to_string(count), " numbers instead of 2"}), read.name);
  }

  [[nodiscard]] sequence<std::int64_t> shape_of(const record& tensor) const noexcept {
    return {m_extents.data() + tensor.shape, tensor.rank};
  }

  void check_size(const record& tensor) const {
    const std::optional<std::uint64_t> size = content_size(tensor.type, shape_of(tensor));
    if (size && tensor.begin <= tensor.end && tensor.end - tensor.begin == *size) return;
    refuse_size(tensor, size);
  }

  [[noreturn]] void refuse_size(const record& tensor, std::optional<std::uint64_t> size) const {
    const std::string what = concat({info(tensor.type).safetensors, to_string(shape_of(tensor))});
    if (!size && element_count(shape_of(tensor)) && info(tensor.type).bits % 8 != 0)
      refuse(errc::malformed, tensor.name_at, concat({what, " ends inside a byte"}), tensor.name);
    if (!size) {
      const sequence<std::int64_t> shape = shape_of(tensor);
      const bool is_empty = std::find(shape.begin(), shape.end(), 0) != shape.end();
      refuse(errc::unsupported, tensor.name_at,
             concat({what, is_empty ? " takes no bytes, but without its zeros" : "",
                     " passes 2^63 - 1 elements or bytes"}),
             tensor.name);
    }
    if (tensor.begin > tensor.end)
      refuse(errc::malformed, tensor.offsets_at, concat({offsets(tensor), " end before they begin"}), tensor.name);
    throw format_error(errc::malformed,
                       {.path = m_index.label(),
                        .name = std::string(tensor.name),
                        .noun = "tensor",
                        .offset = tensor.offsets_at,
                        .expected = concat({std::to_string(*size), " bytes"}),
                        .found = concat({std::to_string(tensor.end - tensor.begin), " bytes"})},
                       concat({offsets(tensor), " do not match ", what, " (", std::to_string(*size), " bytes)"}));
  }

  [[nodiscard]] static std::string offsets(const record& tensor) {
    return concat({"data_offsets [", std::to_string(tensor.begin), ",", std::to_string(tensor.end), ")"});
  }

  void add_tensors() {
    sort_records();
    m_index.reserve(m_records.size() + m_index.metadata().size());
    for (record& next : m_records) {
      if (m_has_int4) apply_int4(next);
      const extent where{m_data_begin + next.begin, next.end - next.begin};
      m_index.add(next.name, entry_kind::tensor, next.type, shape_of(next), {&where, 1});
    }
    if (const std::optional<std::size_t> twice = m_index.index_names())
      refuse(errc::duplicate, m_records[*twice].name_at, "the name comes twice", m_records[*twice].name);
  }

  /// By place; those without bytes before the one that begins where they lie, and in the order of the header.
  void sort_records() {
    const auto before = [](const record& a, const record& b) {
      if (a.begin != b.begin) return a.begin < b.begin;
      if (a.end != b.end) return a.end < b.end;
      return a.name_at < b.name_at;
    };
    if (!std::is_sorted(m_records.begin(), m_records.end(), before))
      std::sort(m_records.begin(), m_records.end(), before);
  }

  void check_places() const {
    std::uint64_t covered = 0;
    for (const record& next : m_records) {
      check_place(next, covered);
      covered = next.end;
    }
    const std::uint64_t left = m_source.size() - m_data_begin - covered;
    if (left != 0)
      refuse(errc::malformed, m_data_begin + covered,
             concat({std::to_string(left), " bytes follow the data of the last tensor"}));
  }

  void check_place(const record& next, std::uint64_t covered) const {
    if (next.begin > covered)
      refuse(errc::malformed, next.offsets_at,
             concat({offsets(next), " leave a hole: the data before them ends at ", std::to_string(covered)}),
             next.name);
    if (next.begin < covered)
      refuse(errc::malformed, next.offsets_at,
             concat({offsets(next), " overlap the data before them, which ends at ", std::to_string(covered)}),
             next.name);
    const std::uint64_t there = m_source.size() - m_data_begin;
    if (next.end > there)
      refuse(errc::truncated, next.offsets_at,
             concat({offsets(next), " pass the end of the file, which has ", std::to_string(there), " bytes of data"}),
             next.name);
  }

  void apply_int4(record& tensor) const {
    if (info(tensor.type).safetensors != safetensors_schema::int4_stored_as) return;
    const std::optional<std::size_t> marker = m_metadata_keys.find(tensor.name, metadata_key());
    if (marker && m_index.metadata()[*marker].value == safetensors_schema::int4_value) tensor.type = dtype::int4;
  }

  void add_strings() {
    for (const auto& [key, value] : m_index.metadata())
      if (!safetensors_schema::is_reserved(key) && m_index.find(key) == nullptr) m_index.add_string(key, value);
    static_cast<void>(m_index.index_names());  // no key comes twice, and none is a tensor's name
  }

  const Source& m_source;
  file_index m_index;
  std::uint64_t m_data_begin = 0;
  dtype m_last_type = dtype::float32;
  arena m_strings;  // those that had escapes, and the header of a source that is not in memory
  trivial_vector<record> m_records;
  trivial_vector<std::int64_t> m_extents;
  name_index m_metadata_keys;
  bool m_has_int4 = false;
};

}  // namespace ckpt

#endif
