#ifndef CKPT_FORMAT_SAFETENSORS_WRITER_HPP
#define CKPT_FORMAT_SAFETENSORS_WRITER_HPP

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ckpt/core/byte_order.hpp>
#include <ckpt/core/checked.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/name_index.hpp>
#include <ckpt/format/plan.hpp>
#include <ckpt/format/safetensors_schema.hpp>
#include <ckpt/json/utf8.hpp>
#include <ckpt/json/writer.hpp>
#include <ckpt/model/entries.hpp>
#include <ckpt/tensor/dtype.hpp>

namespace ckpt {

/// Plans a safetensors file as the safetensors crate 0.8 writes it: tensors by the width class of their dtype, widest
/// first, then by name; the header without blanks, padded with spaces. Strings, and markers of int4 tensors, go into
/// the metadata, in the order: "format", the caller's pairs, then what the entries add in theirs.
class safetensors_writer {
 public:
  safetensors_writer(const entries& from, const format_options& options)
      : m_entries(from), m_options(options), m_align(std::max(options.align, safetensors_schema::header_alignment)) {}

  /// Throws usage_error for an entry, name or metadata pair that a safetensors file cannot hold.
  [[nodiscard]] plan make_plan() {
    collect_options();
    for (const entry& next : m_entries) collect(next);
    sort();
    lay_out();
    write_header();
    m_plan.reserve(m_tensors.size() + 1);
    for (const placed& tensor : m_tensors) m_plan.add_content(*tensor.what, 0, tensor.what->size_bytes);
    return std::move(m_plan);
  }

 private:
  /// A tensor, and what it is put in order by.
  struct placed {
    const entry* what;
    std::uint64_t key;  // of the name: 8 bytes behind what all names begin with, the first one highest
  };

  using pair = std::pair<std::string_view, std::string_view>;

  // The parts of the header between names and numbers.
  static constexpr std::string_view metadata_open = R"("__metadata__":{)";
  static constexpr std::string_view before_dtype = R"(:{"dtype":")";
  static constexpr std::string_view before_shape = R"(","shape":[)";
  static constexpr std::string_view before_offsets = R"(],"data_offsets":[)";
  static constexpr std::string_view tensor_close = "]}";

  [[noreturn]] void refuse(const entry& bad, errc code, const std::string& text) const {
    throw usage_error(code, {.path = m_entries.label(), .name = std::string(bad.name), .noun = name(bad.kind)}, text);
  }
  [[noreturn]] void refuse(errc code, const std::string& text) const { throw usage_error(code, {.path = m_entries.label()}, text); }

  /// The dtype as which a tensor is stored, whose place in the enumeration is its place in the crate's order.
  [[nodiscard]] static dtype stored_type(const entry& tensor) noexcept {
    return tensor.type == dtype::int4 ? dtype::int8 : tensor.type;
  }

  void collect_options() {
    using namespace safetensors_schema;
    if (!std::has_single_bit(m_align)) refuse(errc::invalid_argument, "align is " + std::to_string(m_align) + ", not a power of two");
    if (m_entries.size() == 0 && m_options.metadata.empty()) return;
    std::string_view format = format_value;
    for (const auto& [key, value] : m_options.metadata)
      if (key == format_key) format = value;
    add_pair({format_key, format});
    for (const auto& [key, value] : m_options.metadata) {
      if (!is_utf8(key) || !is_utf8(value)) refuse(errc::malformed, "a key or value of the metadata is not UTF-8");
      if (!add_pair({key, value}) && m_seen_format_once.exchange(key == format_key))
        refuse(errc::duplicate, "the metadata key \"" + key + "\" is given twice");
    }
  }
