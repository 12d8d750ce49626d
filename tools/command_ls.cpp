#include <cstddef>
#include <optional>
#include <string>

#include <unistd.h>

#include <ckpt/format/safetensors_schema.hpp>
#include <ckpt/model/file_index.hpp>
#include <ckpt/tensor/shape.hpp>

#include "checkpoint_file.hpp"
#include "commands.hpp"
#include "entry_count.hpp"
#include "human_size.hpp"
#include "json_listing.hpp"
#include "printable.hpp"
#include "table.hpp"
#include "terminal.hpp"

namespace ckpt::tools {

namespace {

/// `  (format "pt")`: those pairs of the metadata that are no entries.
std::string properties(const file_index& index) {
  std::string text;
  for (const auto& [key, value] : index.metadata()) {
    if (!safetensors_schema::is_reserved(key)) continue;
    text.append(text.empty() ? " (" : ", ").append(printable(key)).append(" ").append(in_quotes(value));
  }
  return text.empty() ? text : text + ")";
}

}  // namespace

exit_code ls(const ls_options& options, standard_output& out) {
  const checkpoint_file file(options.file, options.key);
  const file_index& index = file.index();
  if (options.json) {
    print_json(out, index, file.size());
    return exit_code::fine;
  }
  table<4> listing;
  entry_count count;
  if (!index.empty()) listing.add({"name", "dtype", "shape", "size"});
  for (const index_entry& entry : index) {
    const bool is_tensor = entry.kind() == entry_kind::tensor;
    listing.add({printable(entry.name()), std::string(is_tensor ? name(entry.type()) : name(entry.kind())),
                 is_tensor ? to_string(entry.shape()) : "-", human_size(entry.size_bytes())});
    count.add(entry.kind(), entry.size_bytes());
  }
  const std::optional<std::size_t> terminal = terminal_columns(STDOUT_FILENO);
  listing.print(out, terminal.value_or(80), terminal ? long_names::elide : long_names::keep);
  if (!index.empty()) out.print("\n");
  out.print(std::string(index.format()) + properties(index) + ": " + count.text() + encryption_of(index) + "\n");
  if (index.has_checksum()) out.print("the file has a CRC-32\n");
  return exit_code::fine;
}

}  // namespace ckpt::tools
