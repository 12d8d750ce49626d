#ifndef CKPT_FORMAT_CONCEPT_HPP
#define CKPT_FORMAT_CONCEPT_HPP

#include <concepts>
#include <string_view>

#include <ckpt/format/plan.hpp>
#include <ckpt/io/source.hpp>
#include <ckpt/model/entries.hpp>
#include <ckpt/model/file_index.hpp>

namespace ckpt {

/// A file format as a policy:
///
///   name                              what file_index::format() says
///   suffix                            what a file's name ends with, without a dot
///   make_plan(entries, options)       the whole file, decided; usage_error for what the format cannot hold
///   read_index(source)                what a file holds, validated; format_error for what the format does not allow.
///                                     Names that come twice are refused by whoever loads by the format
template <class F>
concept file_format = requires(const entries& given, const format_options& options, const source& from) {
  { F::name } -> std::convertible_to<std::string_view>;
  { F::suffix } -> std::convertible_to<std::string_view>;
  { F::make_plan(given, options) } -> std::same_as<plan>;
  { F::read_index(from) } -> std::same_as<file_index>;
};

}  // namespace ckpt

#endif
