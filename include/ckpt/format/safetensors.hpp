#ifndef CKPT_FORMAT_SAFETENSORS_HPP
#define CKPT_FORMAT_SAFETENSORS_HPP

#include <cstdint>
#include <string_view>

#include <ckpt/format/concept.hpp>
#include <ckpt/format/safetensors_reader.hpp>
#include <ckpt/format/safetensors_schema.hpp>
#include <ckpt/format/safetensors_writer.hpp>

namespace ckpt {

/// Safetensors files, byte for byte as the safetensors crate 0.8 writes them. `format_options::align` above 8 aligns
/// the beginning of the data; each tensor is aligned to its element in any case.
struct safetensors final {
  static constexpr std::string_view name = "safetensors";
  static constexpr std::string_view suffix = "safetensors";
  static constexpr std::uint64_t max_header_size = safetensors_schema::max_header_size;

  template <class Entries>
  [[nodiscard]] static plan make_plan(const Entries& given, const format_options& options) {
    return safetensors_writer(given, options).make_plan();
  }
  template <class Source>
  [[nodiscard]] static file_index read_index(const Source& from) {
    return safetensors_reader(from, name).read();
  }
};

}  // namespace ckpt

#endif
