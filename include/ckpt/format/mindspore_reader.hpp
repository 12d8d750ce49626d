#ifndef CKPT_FORMAT_MINDSPORE_READER_HPP
#define CKPT_FORMAT_MINDSPORE_READER_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <ckpt/core/byte_order.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/excerpt.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/core/trivial_vector.hpp>
#include <ckpt/format/mindspore_schema.hpp>
#include <ckpt/format/utf32.hpp>
#include <ckpt/io/source.hpp>
#include <ckpt/io/source_window.hpp>
#include <ckpt/json/utf8.hpp>
#include <ckpt/model/file_index.hpp>
#include <ckpt/tensor/dtype.hpp>
#include <ckpt/tensor/shape.hpp>
#include <ckpt/tensor/tensor_view.hpp>
#include <ckpt/wire/reader.hpp>

namespace ckpt {

/// Indexes a ckpt file: takes everything that protobuf allows, and refuses, with the parameter and the byte, everything
/// that MindSpore's loader would have to guess at. Looks at no tensor data.
///
/// A template over what it reads, like the other readers and writers of formats, so that a program pays for compiling
/// those that it uses and not for including them.
template <class Source>
class mindspore_reader {
 public:
  mindspore_reader(const Source& from, std::string_view format)
      : m_window(from), m_index(format, from.label(), from.size()) {}

  /// Throws format_error for what is refused, and what the source throws where it cannot be read.
  [[nodiscard]] file_index read() {
    using namespace mindspore_schema;
    for (message_reader checkpoint = message({0, m_index.file_size()});
         !at_trailer(checkpoint.position()) && checkpoint.next();) {
      if (checkpoint.number() != checkpoint_value) {
        checkpoint.skip();
        continue;
      }
      m_value_offset = checkpoint.field_offset();
      m_name = {};
      try {
        read_value(payload(checkpoint, "value"));
      } catch (const format_error& e) {
        rethrow_named(e);
      }
      if (m_index.size() >= m_expected_count) expect_more(checkpoint.position());
    }
    finish_pending();
    if (const std::optional<std::size_t> twice = m_index.index_names()) refuse_twice(*twice);
    return std::move(m_index);
  }

 private:
  using message_reader = wire::reader<source_window>;
  using range = wire::payload_range;

  /// A tensor or string of which chunks were read, and of which more may follow.
  struct pending_entry {
    std::string name;
    trivial_vector<std::int64_t> shape;
    trivial_vector<extent> chunks;
    std::string text;            // of a string: its code points as UTF-8, zeros and all
    std::uint64_t expected = 0;  // bytes that shape and dtype take
    std::uint64_t found = 0;     // bytes of the chunks
    std::uint64_t offset = 0;    // of the first chunk's message
    dtype type = dtype::uint8;
    entry_kind kind = entry_kind::tensor;
  };

  [[nodiscard]] message_reader message(range bytes) { return {m_window, m_index.label(), bytes}; }

  [[noreturn]] void refuse(errc code, std::uint64_t offset, const std::string& text, std::string_view parameter = {},
                           entry_kind kind = entry_kind::tensor) const {
    const std::string_view noun = parameter.data() == nullptr ? std::string_view() : name(kind);
    throw format_error(code, {.path = m_index.label(), .name = std::string(parameter), .noun = noun, .offset = offset},
                       text);
  }

  /// To be called where `e` was caught: says which parameter it is about, where only protobuf's bytes were known.
  [[noreturn]] void rethrow_named(const format_error& e) const {
    if (m_name.data() == nullptr || !e.facts().noun.empty()) throw;
    error_facts facts = e.facts();
    facts.name = m_name;
    facts.noun = name(m_kind);
    throw format_error(e.code(), std::move(facts), e.text());
  }

  [[noreturn]] void refuse_twice(std::size_t position) const {
    const index_entry& twice = m_index[position];
    throw format_error(errc::duplicate,
                       {.path = m_index.label(),
                        .name = std::string(twice.name()),
                        .noun = name(twice.kind()),
                        .offset = m_offsets[position]},
                       "the file holds this name twice, and not as chunks of one tensor");
  }

  /// Whether the messages end here and a checksum follows. The ten bytes of its number are not looked at. A file that
  /// ends within the marker was cut there: its beginning alone is no field.
  [[nodiscard]] bool at_trailer(std::uint64_t offset) {
    using namespace mindspore_schema;
    const sequence<std::byte> bytes = m_window.at(offset, checksum_marker.size());
    if (bytes.empty() || bytes[0] != std::byte{'c'}) return false;
    const std::size_t shown = bytes.size() < checksum_marker.size() ? bytes.size() : checksum_marker.size();
    if (std::memcmp(bytes.data(), checksum_marker.data(), shown) != 0) return false;
    const std::uint64_t left = m_index.file_size() - offset;
    if (left < checksum_trailer_size)
      refuse(errc::truncated, offset,
             concat({"the checksum after the last message is cut short: ", std::to_string(left), " of 17 bytes"}));
    if (left > checksum_trailer_size)
      refuse(errc::malformed, offset,
             concat({std::to_string(left - checksum_trailer_size), " bytes follow the checksum, which ends a file"}));
    m_index.set_has_checksum();
    return true;
  }

  /// Makes room for as many entries as the file can be guessed to hold when `done` bytes held those so far, but not for
  /// many times more than those: the guess is the file's word alone.
  void expect_more(std::uint64_t done) {
    const std::uint64_t most = 8 * std::uint64_t{m_expected_count};
    const auto guess = static_cast<double>(m_index.size()) *
                       (static_cast<double>(m_index.file_size()) / static_cast<double>(done)) * 1.02;
    m_expected_count =
        static_cast<std::size_t>(guess < static_cast<double>(most) ? static_cast<std::uint64_t>(guess) + 1 : most);
    m_index.reserve(m_expected_count);
    m_offsets.reserve(m_expected_count);
    if (m_expected_count < 2 * m_index.size()) m_expected_count = ~std::size_t{0};  // nearly all: no more guesses
  }

  range payload(message_reader& from, const char* what, const char* wanted = "2") const {
    if (from.type() != wire::wire_type::length_delimited) refuse_wire_type(from, what, wanted);
    return from.payload();
  }

  [[noreturn, gnu::noinline]] void refuse_wire_type(const message_reader& from, const char* what,
                                                    const char* wanted) const {  // apart, so that payload() is inlined
    refuse(errc::malformed, from.field_offset(),
           concat({"field ", what, " has wire type ", std::to_string(static_cast<int>(from.type())), " instead of ",
                   wanted}),
           m_name, m_kind);
  }

  /// Text that the file holds; valid until the window moves.
  [[nodiscard]] std::string_view text_at(range bytes) {
    const sequence<std::byte> text = m_window.at(bytes.begin, static_cast<std::size_t>(bytes.size));
    return {reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(bytes.size)};
  }

  /// Whether a payload was found: none begins with the file, its key stands before it.
  [[nodiscard]] static bool is_set(range payload) noexcept { return payload.begin != 0; }

  void read_value(range bytes) {
    using namespace mindspore_schema;
    m_kind = entry_kind::tensor;
    bool has_tag = false;
    range tensor;
    range map;
    message_reader value = message(bytes);
    while (value.next()) {
      if (value.number() == value_tag) {
        has_tag = true;
        read_name(payload(value, "tag"));
      } else if (value.number() == value_tensor || value.number() == value_map) {
        if (is_set(tensor) || is_set(map))
          refuse(errc::malformed, value.field_offset(), "one value holds two tensors", m_name);
        (value.number() == value_tensor ? tensor : map) =
            payload(value, value.number() == value_tensor ? "tensor" : "maptensor");
      } else {
        value.skip();
      }
    }
    if (!has_tag) refuse(errc::malformed, m_value_offset, "a value has no tag, so its tensor has no name");
    if (is_set(tensor)) read_tensor(tensor);
    else if (is_set(map)) read_map(map);
    else refuse(errc::malformed, m_value_offset, "the value holds neither a tensor nor a map", m_name);
  }

  void read_name(range tag) {
    m_name = text_at(tag);
    if (!is_utf8(m_name)) {
      m_name = {};
      refuse(errc::invalid_name, tag.begin, "the tag is not UTF-8");
    }
    if (m_name.data() == nullptr) m_name = "";  // the empty name at the end of the file is a name, too
    if (m_window.is_stable()) return;
    m_name_copy = m_name;
    m_name = m_name_copy;
  }

  /// The fields of a TensorProto whose dims are in m_shape.
  struct tensor_fields {
    range type;
    range content;
  };

  /// `where` is the byte that a missing field is told by.
  tensor_fields read_fields(range bytes, std::uint64_t where) {
    using namespace mindspore_schema;
    m_shape.clear();
    tensor_fields fields;
    message_reader tensor = message(bytes);
    while (tensor.next()) {
      switch (tensor.number()) {
        case tensor_dims: read_dims(tensor); break;
        case tensor_type: fields.type = payload(tensor, "tensor_type"); break;
        case tensor_content: fields.content = payload(tensor, "tensor_content"); break;
        default: tensor.skip();
      }
    }
    if (!is_set(fields.type)) refuse(errc::malformed, where, "tensor_type is missing", m_name, m_kind);
    if (!is_set(fields.content)) refuse(errc::malformed, where, "tensor_content is missing", m_name, m_kind);
    return fields;
  }

  [[noreturn]] void refuse_type(std::string_view type, std::uint64_t offset) const {
    refuse(errc::unsupported, offset,
           is_utf8(type) ? concat({"tensor_type \"", excerpt(type), "\" is unknown"}) : "tensor_type is not UTF-8",
           m_name, m_kind);
  }

  void read_tensor(range bytes) {
    using namespace mindspore_schema;
    const auto [type, content] = read_fields(bytes, m_value_offset);
    const std::string_view type_name = text_at(type);
    if (type_name == string_type) {
      add_string(content);
      return;
    }
    const dtype_info* const known = dtype_from_mindspore(type_name, m_last_type);
    if (known == nullptr) refuse_type(type_name, type.begin);
    m_last_type = known->type;
    add_tensor(known->type, content);
  }

  void read_dims(message_reader& tensor) {
    if (tensor.type() == wire::wire_type::varint) {
      add_dim(tensor.varint(), tensor.field_offset());
      return;
    }
    const range packed = payload(tensor, "dims", "0 or 2");
    for (std::uint64_t at = packed.begin; at < packed.end();) {
      sequence<std::byte> bytes = m_window.at(at, wire::max_varint_size);
      if (bytes.size() > packed.end() - at) bytes = bytes.first(static_cast<std::size_t>(packed.end() - at));
      const wire::varint dim = wire::read_varint(bytes);
      if (dim.size == 0) refuse(errc::malformed, at, "a packed dim is cut short or passes 64 bits", m_name, m_kind);
      add_dim(dim.value, at);
      at += dim.size;
    }
  }

  void add_dim(std::uint64_t dim, std::uint64_t offset) {
    if (dim >> 63 != 0)
      refuse(errc::malformed, offset,
             concat({"dim ", std::to_string(static_cast<std::int64_t>(dim)), " is below zero"}), m_name, m_kind);
    m_shape.push_back(static_cast<std::int64_t>(dim));
  }

  /// The bytes that m_shape of such elements takes.
  [[nodiscard]] std::uint64_t size_of(dtype type, std::uint64_t offset) const {
    const std::optional<std::uint64_t> size = content_size(type, m_shape);
    if (!size) refuse_shape(type, offset);
    return *size;
  }

  [[noreturn]] void refuse_shape(dtype type, std::uint64_t offset) const {
    bool is_empty = false;
    for (const std::int64_t extent : m_shape) is_empty = is_empty || extent == 0;
    const char* why = " takes more than 2^63 - 1 bytes";
    if (is_empty) why = " takes no bytes, but without its zeros would take more than 2^63 - 1";
    else if (element_count(m_shape) && info(type).bits % 8 != 0) why = " ends inside a byte";
    refuse(errc::malformed, offset, concat({name(type), to_string(m_shape), why}), m_name, m_kind);
  }

  void add_tensor(dtype type, range content) {
    if (m_shape.size() == 1 && m_shape[0] == 0 && content.size == info(type).bits / 8u)
      m_shape.clear();  // how MindSpore wrote 0-d once
    const std::uint64_t expected = size_of(type, m_value_offset);
    const bool continues = continues_pending(entry_kind::tensor) && m_pending.found < m_pending.expected;
    if (continues && (m_pending.type != type || !same_extents(m_pending.shape, m_shape)))
      refuse(errc::malformed, m_value_offset,
             concat({"a chunk of ", name(type), to_string(m_shape), " follows one of ", name(m_pending.type),
                     to_string(m_pending.shape)}),
             m_name);
    if (!continues) {
      finish_pending();
      if (content.size == expected) {  // whole, as nearly all are
        const extent where{content.begin, content.size};
        m_index.add(m_name, entry_kind::tensor, type, m_shape, {&where, 1});
        m_offsets.push_back(m_value_offset);
        return;
      }
      start_pending(entry_kind::tensor, type, expected);
    }
    if (content.size > m_pending.expected - m_pending.found)
      refuse_size(content.begin, m_pending, m_pending.found + content.size);
    m_pending.found += content.size;
    m_pending.chunks.push_back({content.begin, content.size});
  }

  void start_pending(entry_kind kind, dtype type, std::uint64_t expected) {
    m_pending = pending_entry{.name = std::string(m_name),
                              .shape = m_shape,
                              .chunks = {},
                              .text = {},
                              .expected = expected,
                              .found = 0,
                              .offset = m_value_offset,
                              .type = type,
                              .kind = kind};
    m_has_pending = true;
  }

  /// Whether the value being read may be a further chunk of the pending entry.
  [[nodiscard]] bool continues_pending(entry_kind kind) const noexcept {
    return m_has_pending && m_pending.kind == kind && m_pending.name == m_name;
  }

  /// Of a content that is not as long as dtype and shape say.
  [[noreturn]] void refuse_size(std::uint64_t offset, dtype type, const trivial_vector<std::int64_t>& shape,
                                std::uint64_t expected, std::uint64_t found, std::string_view parameter,
                                entry_kind kind) const {
    throw format_error(errc::malformed,
                       {.path = m_index.label(),
                        .name = std::string(parameter),
                        .noun = name(kind),
                        .offset = offset,
                        .expected = concat({std::to_string(expected), " bytes"}),
                        .found = concat({std::to_string(found), " bytes"})},
                       concat({name(type), to_string(shape), " takes ", std::to_string(expected),
                               " bytes, its content has ", std::to_string(found)}));
  }
  [[noreturn]] void refuse_size(std::uint64_t offset, const pending_entry& entry, std::uint64_t found) const {
    refuse_size(offset, entry.type, entry.shape, entry.expected, found, entry.name, entry.kind);
  }

  void add_string(range content) {
    if (!continues_pending(entry_kind::string)) {
      finish_pending();
      start_pending(entry_kind::string, dtype::uint8, 0);
    }
    if (content.size % utf32_width != 0)
      refuse(errc::malformed, content.begin,
             concat({"its ", std::to_string(content.size), " bytes are no multiple of the 4 that a code point takes"}),
             m_name, entry_kind::string);
    constexpr std::uint64_t step = 1024 * utf32_width;
    for (std::uint64_t at = content.begin; at < content.end(); at += step) {
      const auto size = static_cast<std::size_t>(content.end() - at < step ? content.end() - at : step);
      const sequence<std::byte> bytes = m_window.at(at, size).first(size);
      for (std::size_t i = 0; i < size; i += utf32_width) add_code_point(load_le<std::uint32_t>(&bytes[i]), at + i);
    }
  }

  void add_code_point(std::uint32_t code_point, std::uint64_t offset) {
    if (code_point > 0x10ffff)
      refuse(errc::malformed, offset, concat({"code point ", std::to_string(code_point), " is past 1114111 (10FFFF)"}),
             m_name, entry_kind::string);
    append_utf8(m_pending.text, code_point);
  }

  /// Throws format_error unless the content of a map's tensor is as long as its shape and type say.
  void check_map_tensor(range bytes) {
    const auto [type, content] = read_fields(bytes, bytes.begin);
    const std::string_view type_name = text_at(type);
    const dtype_info* const known = dtype_from_name(type_name);  // numpy's, where tensors have MindSpore's
    if (known == nullptr) refuse_type(type_name, type.begin);
    const std::uint64_t expected = size_of(known->type, bytes.begin);
    if (content.size != expected)
      refuse_size(content.begin, known->type, m_shape, expected, content.size, m_name, m_kind);
  }

  void read_map(range bytes) {
    using namespace mindspore_schema;
    m_kind = entry_kind::map;
    std::size_t tensors = 0;
    message_reader map = message(bytes);
    while (map.next()) {
      if (map.number() == map_tensor) {
        check_map_tensor(payload(map, "tensor"));
        ++tensors;
      } else {
        map.skip();
      }
    }
    if (tensors != 3)
      refuse(errc::malformed, bytes.begin,
             concat({"a map is three tensors (keys, values, status), not ", std::to_string(tensors)}), m_name,
             entry_kind::map);
    if (!continues_pending(entry_kind::map)) {
      finish_pending();
      m_shape.clear();
      start_pending(entry_kind::map, dtype::uint8, 0);
    }
    m_pending.chunks.push_back({bytes.begin, bytes.size});
  }

  void finish_pending() {
    if (!m_has_pending) return;
    m_has_pending = false;
    const pending_entry& entry = m_pending;
    if (entry.found != entry.expected) refuse_size(entry.offset, entry, entry.found);
    if (entry.kind == entry_kind::string)
      m_index.add_string(entry.name, std::string_view(entry.text).substr(0, entry.text.find_last_not_of('\0') + 1));
    else m_index.add(entry.name, entry.kind, entry.type, entry.shape, entry.chunks);
    m_offsets.push_back(entry.offset);
  }

  source_window m_window;
  file_index m_index;
  trivial_vector<std::uint64_t> m_offsets;  // of the message where each entry of m_index begins
  pending_entry m_pending;                  // only where m_has_pending
  trivial_vector<std::int64_t> m_shape;     // of the tensor being read
  std::string_view m_name;                  // of the value being read
  std::string m_name_copy;
  entry_kind m_kind = entry_kind::tensor;  // of the value being read, as far as it is known
  std::uint64_t m_value_offset = 0;
  dtype m_last_type = dtype::float32;
  bool m_has_pending = false;
  std::size_t m_expected_count = 64;  // entries for which there is room
};

}  // namespace ckpt

#endif
