#ifndef CKPT_FORMAT_MINDSPORE_WRITER_HPP
#define CKPT_FORMAT_MINDSPORE_WRITER_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <ckpt/core/byte_span.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/format/mindspore_schema.hpp>
#include <ckpt/format/plan.hpp>
#include <ckpt/format/utf32.hpp>
#include <ckpt/json/utf8.hpp>
#include <ckpt/model/entries.hpp>
#include <ckpt/tensor/dtype.hpp>
#include <ckpt/wire/field.hpp>
#include <ckpt/wire/varint.hpp>
#include <ckpt/wire/writer.hpp>

namespace ckpt {

/// Plans a ckpt file: one message for each entry, in order; a tensor over 512 MiB in several. A template as
/// mindspore_reader is.
template <class Entries>
class mindspore_writer {
 public:
  mindspore_writer(const Entries& from, const format_options& options)
      : m_entries(from), m_align(options.align), m_checksum(options.checksum) {}

  /// Throws usage_error for an entry that a ckpt file cannot hold or that MindSpore could not load.
  [[nodiscard]] plan make_plan() {
    m_plan.reserve(2 * m_entries.size() + 1);
    std::uint64_t total = 0;
    for (const entry& next : m_entries) {
      check_name(next);
      total = next.size_bytes >> 62 == 0 ? total + next.size_bytes : ~std::uint64_t{0};
      if (total >> 62 != 0) refuse(next, errc::unsupported, "with it the file passes 2^62 bytes");
      if (next.kind == entry_kind::map) add_map(next);
      else if (next.kind == entry_kind::string) add_string(next);
      else add_tensor(next);
    }
    if (m_checksum) add_checksum();
    else hide_false_trailer();
    return std::move(m_plan);
  }

 private:
  /// What of a message stands before the content.
  struct layout {
    std::uint64_t padding_payload = 0;  // of the padding field; only where has_padding
    std::uint64_t tensor_size = 0;      // of the TensorProto
    std::uint64_t value_size = 0;       // of the Value
    std::uint64_t header_size = 0;      // from the start of the message to the content
    bool has_padding = false;
  };

  static constexpr std::uint64_t padding_key_size =
      wire::varint_size(wire::key(mindspore_schema::padding, wire::wire_type::length_delimited));
  static constexpr std::int64_t string_extent = 0;  // the shape of a string, whatever its length

  [[noreturn]] void refuse(const entry& bad, errc code, const std::string& text) const {
    throw usage_error(code, {.path = m_entries.label(), .name = std::string(bad.name), .noun = name(bad.kind)}, text);
  }

  void check_name(const entry& next) const {
    if (next.name.size() > mindspore_schema::max_name_characters || !is_utf8(next.name)) refuse_name(next);
  }

  void refuse_name(const entry& next) const {
    if (!is_utf8(next.name)) refuse(next, errc::invalid_name, "the name is not UTF-8");
    const std::size_t characters = count_code_points(next.name);
    if (characters > mindspore_schema::max_name_characters)
      refuse(next, errc::invalid_name,
             concat({"the name has ", std::to_string(characters), " characters; MindSpore loads no name over 1024"}));
  }

  void add_map(const entry& next) {
    for (const segment& slice : next.pieces()) {
      using namespace mindspore_schema;
      const std::uint64_t value_size =
          wire::delimited_size(value_tag, next.name.size()) + wire::delimited_size(value_map, slice.size());
      const std::uint64_t header_size = wire::delimited_size(checkpoint_value, value_size) - slice.size();
      wire::writer to(m_plan.add_owned(static_cast<std::size_t>(header_size)).data());
      to.delimited_header(checkpoint_value, value_size);
      to.text_field(value_tag, next.name);
      to.delimited_header(value_map, slice.size());
      m_plan.add(slice);
    }
  }

  void add_string(const entry& next) {
    const sequence<std::byte> bytes = next.whole.bytes();
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (const std::optional<std::size_t> bad = first_invalid_utf8(text))
      refuse(next, errc::malformed, concat({"the text is not UTF-8 at its byte ", std::to_string(*bad)}));
    const std::uint64_t size = utf32_size(text);
    const byte_span content = m_plan.store(static_cast<std::size_t>(size));
    write_utf32(text, content.data());
    entry stored = next;
    stored.whole = content;
    stored.several = {};
    stored.shape = {&string_extent, 1};
    stored.size_bytes = size;
    add_chunks(stored, mindspore_schema::string_type);
  }

  void add_tensor(const entry& next) {
    const std::string_view type = info(next.type).mindspore;
    if (type.empty())
      refuse(next, errc::unsupported,
             concat({"a ckpt file cannot hold ", name(next.type), "; save it as safetensors, or convert it first"}));
    add_chunks(next, type);
  }

  void add_chunks(const entry& next, std::string_view type) {
    std::uint64_t done = 0;
    do {
      const std::uint64_t left = next.size_bytes - done;
      const std::uint64_t size = left < mindspore_schema::chunk_size ? left : mindspore_schema::chunk_size;
      add_message(next, type, size);
      m_plan.add_content(next, done, size);
      done += size;
    } while (done < next.size_bytes);
  }

  void add_message(const entry& next, std::string_view type, std::uint64_t content) {
    using namespace mindspore_schema;
    std::uint64_t before = wire::delimited_size(tensor_type, type.size());  // of the TensorProto, without padding
    for (const std::int64_t extent : next.shape) before += 1 + wire::varint_size(static_cast<std::uint64_t>(extent));
    const layout chosen = lay_out(next, before, content);
    wire::writer to(m_plan.add_owned(static_cast<std::size_t>(chosen.header_size)).data());
    to.delimited_header(checkpoint_value, chosen.value_size);
    to.text_field(value_tag, next.name);
    to.delimited_header(value_tensor, chosen.tensor_size);
    for (const std::int64_t extent : next.shape) to.varint_field(tensor_dims, static_cast<std::uint64_t>(extent));
    to.text_field(tensor_type, type);
    if (chosen.has_padding) {
      to.delimited_header(padding, chosen.padding_payload);
      to.zeros(chosen.padding_payload);
    }
    to.delimited_header(tensor_content, content);
  }

  [[nodiscard]] layout lay_out(const entry& next, std::uint64_t before, std::uint64_t content) const {
    layout result = with_padding(next, before, content, 0);
    if (m_align == 0 || content == 0) return result;
    // Each round adds what is missing; lengths grow with the padding and can move the content once more.
    for (std::uint64_t padding = 0;;) {
      const std::uint64_t past = (m_plan.size() + result.header_size) % m_align;
      if (past == 0 && (padding == 0 || result.has_padding)) return result;
      padding += past == 0 ? m_align : m_align - past;
      result = with_padding(next, before, content, padding);
    }
  }

  /// The layout with a padding field of `padding` bytes in all; without one where no field has that size.
  [[nodiscard]] static layout with_padding(const entry& next, std::uint64_t before, std::uint64_t content,
                                           std::uint64_t padding) {
    using namespace mindspore_schema;
    layout result;
    for (std::uint64_t length_size = 1; length_size <= wire::max_varint_size && !result.has_padding; ++length_size) {
      if (padding < padding_key_size + length_size) break;
      result.padding_payload = padding - padding_key_size - length_size;
      result.has_padding = wire::varint_size(result.padding_payload) == length_size;
    }
    result.tensor_size = before + padding + wire::delimited_size(tensor_content, content);
    result.value_size =
        wire::delimited_size(value_tag, next.name.size()) + wire::delimited_size(value_tensor, result.tensor_size);
    result.header_size = wire::delimited_size(checkpoint_value, result.value_size) - content;
    return result;
  }

  /// Over all messages. It follows them, and a content that ends like one is read as content then.
  void add_checksum() {
    checksum_place place{.offset = m_plan.size(),
                         .size = mindspore_schema::checksum_trailer_size,
                         .render = mindspore_schema::render_checksum};
    place.parts.push_back({.offset = 0, .size = m_plan.size()});
    m_plan.set_checksum(std::move(place));
  }

  /// A file whose content happens to end like a checksum is cut by MindSpore's loader: a field after it prevents that.
  void hide_false_trailer() {
    using namespace mindspore_schema;
    std::byte ending[checksum_trailer_size];
    if (m_plan.size() < sizeof ending) return;
    std::size_t missing = sizeof ending;
    for (std::size_t i = m_plan.segments().size(); missing > 0; --i) {
      const segment piece = m_plan.segments()[i - 1];
      const std::size_t take = piece.size() < missing ? static_cast<std::size_t>(piece.size()) : missing;
      missing -= take;
      piece.copy_to(piece.size() - take, {&ending[missing], take});
    }
    if (std::memcmp(ending, checksum_marker.data(), checksum_marker.size()) != 0) return;
    wire::writer to(m_plan.add_owned(padding_key_size + 1).data());
    to.delimited_header(padding, 0);
  }

  const Entries& m_entries;
  std::uint64_t m_align;
  bool m_checksum;
  plan m_plan;
};

}  // namespace ckpt

#endif
