#ifndef CKPT_FORMAT_MINDSPORE_HPP
#define CKPT_FORMAT_MINDSPORE_HPP

#include <string_view>

#include <ckpt/format/concept.hpp>
#include <ckpt/format/mindspore_reader.hpp>
#include <ckpt/format/mindspore_writer.hpp>

namespace ckpt {

/// MindSpore's checkpoint files, byte for byte as MindSpore 2.10 writes them: a stream of protobuf messages.
struct mindspore final {
  static constexpr std::string_view name = "ckpt";
  static constexpr std::string_view suffix = "ckpt";

  template <class Entries>
  [[nodiscard]] static plan make_plan(const Entries& given, const format_options& options) {
    return mindspore_writer(given, options).make_plan();
  }
  template <class Source>
  [[nodiscard]] static file_index read_index(const Source& from) {
    return mindspore_reader(from, name).read();
  }
};

}  // namespace ckpt

#endif
