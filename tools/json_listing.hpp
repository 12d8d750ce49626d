#ifndef CKPT_TOOLS_JSON_LISTING_HPP
#define CKPT_TOOLS_JSON_LISTING_HPP

#include <cstdint>
#include <string>
#include <string_view>

#include <ckpt/json/writer.hpp>
#include <ckpt/model/file_index.hpp>

#include "standard_output.hpp"

namespace ckpt::tools {

/// An entry of the listing. A string and a map have no dtype (`null`) and no axes.
[[nodiscard]] inline std::string json_entry(const index_entry& entry) {
  std::string out = R"({"name":)";
  append_json_string(out, entry.name());
  out.append(R"(,"kind":")").append(name(entry.kind()));
  if (entry.kind() == entry_kind::tensor)
    out.append(R"(","dtype":")").append(name(entry.type())).append(R"(","shape":[)");
  else out.append(R"(","dtype":null,"shape":[)");
  std::string_view comma;
  for (const std::int64_t extent : entry.shape()) {
    out += comma;
    append_json_number(out, static_cast<std::uint64_t>(extent));
    comma = ",";
  }
  out.append(R"(],"bytes":)");
  append_json_number(out, entry.size_bytes());
  return out.append("}");
}

/// The whole index as one JSON object, an entry a line.
/// `bytes` is the size of the file.
inline void print_json(standard_output& out, const file_index& index, std::uint64_t bytes) {
  std::string head = R"({"format":")";
  head.append(index.format()).append(R"(","cipher":)");
  if (index.cipher().empty()) head.append("null");
  else head.append(R"(")").append(index.cipher()).append(R"(")");
  head.append(R"(,"checksum":)").append(index.has_checksum() ? R"("crc32")" : "null");
  head.append(R"(,"sealed":)").append(index.cipher().empty() ? "null" : index.is_sealed() ? "true" : "false");
  head.append(R"(,"bytes":)");
  append_json_number(head, bytes);
  head.append(R"(,"metadata":{)");
  std::string_view comma;
  for (const auto& [key, value] : index.metadata()) {
    head += comma;
    append_json_string(head, key);
    head += ':';
    append_json_string(head, value);
    comma = ",";
  }
  head.append(R"(},"entries":[)");
  out.print(head);
  std::string_view separator = "\n";
  for (const index_entry& entry : index) {
    out.print(separator);
    out.print(json_entry(entry));
    separator = ",\n";
  }
  out.print(index.empty() ? "]}\n" : "\n]}\n");
}

}  // namespace ckpt::tools

#endif
