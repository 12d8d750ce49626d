#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <ckpt/checkpoint/checksummed_executor.hpp>
#include <ckpt/checkpoint/executor.hpp>
#include <ckpt/checkpoint/file_name.hpp>
#include <ckpt/checksum/crc32.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/format/concept.hpp>
#include <ckpt/format/mindspore.hpp>
#include <ckpt/format/plan.hpp>
#include <ckpt/format/safetensors.hpp>
#include <ckpt/io/atomic_file.hpp>
#include <ckpt/model/entries.hpp>
#include <ckpt/model/file_index.hpp>

#include "checkpoint_file.hpp"
#include "commands.hpp"
#include "entry_count.hpp"
#include "interruption.hpp"
#include "name_rules.hpp"
#include "output_mode.hpp"
#include "printable.hpp"
#include "progress_bar.hpp"
#include "standard_error.hpp"

namespace ckpt::tools {

namespace {

/// What is taken of a file, and the name that each gets.
using selection = std::vector<std::pair<std::string, const index_entry*>>;

/// The format of the output: what --to says, or its name.
std::string_view format_of(const convert_options& options) {
  const auto ends_with = [&](std::string_view suffix) { return options.output.ends_with(suffix); };
  const std::string_view by_name = ends_with(safetensors::suffix) ? safetensors::name
                                   : ends_with(mindspore::suffix) ? mindspore::name
                                                                  : "";
  if (options.format.empty() && by_name.empty())
    throw command_line_error("cannot tell the format from the name " + printable(options.output) +
                             ": end it in .ckpt or .safetensors, or say --to ckpt or --to safetensors");
  if (options.format.empty()) return by_name;
  if (!by_name.empty() && options.format != by_name)
    throw command_line_error("--to " + options.format + " contradicts the name " + printable(options.output) +
                             ": leave it out, or name OUT otherwise");
  return options.format == safetensors::name ? safetensors::name : mindspore::name;
}

/// The entries that the rules choose, under their new names. Throws where none is left or two get one name.
selection select(const file_index& index, name_rules& rules) {
  selection chosen;
  std::unordered_map<std::string, std::string_view> old_names;
  for (const index_entry& entry : index) {
    const std::string_view name = entry.name();
    if (!rules.wants(name)) continue;
    chosen.emplace_back(rules.rename(name), &entry);
    const auto [other, is_new] = old_names.emplace(chosen.back().first, name);
    if (!is_new)
      throw mismatch_error(
          errc::duplicate, {.path = index.label(), .name = std::string(name), .noun = "entry"},
          "it would be named " + printable(other->first) + ", as " +
              (other->second == other->first ? "another one is" : printable(other->second) + " would"));
  }
  if (chosen.empty() && !index.empty())
    throw mismatch_error(errc::missing, {.path = index.label()},
                         "--only matches none of its " + counted(index.size(), "name", "names"));
  return chosen;
}

/// The pairs of the input's metadata that still hold, in their order; a checksum only where it `is_valid`. (Strings
/// are entries too: given twice they stay once.)
std::vector<std::pair<std::string, std::string>> select_metadata(const file_index& index, name_rules& rules,
                                                                 bool is_valid) {
  namespace schema = safetensors_schema;
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& [key, value] : index.metadata()) {
    if (key == schema::checksum_key && !is_valid) continue;
    if (schema::is_reserved(key)) pairs.emplace_back(key, value);
    else if (rules.wants(key)) pairs.emplace_back(rules.rename(key), value);
  }
  return pairs;
}

/// Moves the plan's bytes into the file. Returns its path, links resolved.
template <class Executor>
std::string execute(const plan& whole, const std::string& path) {
  Executor run(whole);
  progress_bar bar("syncing to the disk");
  const interruption guard;
  atomic_file to(path, run.size(), {.mode = output_mode(path)});
  run.run(to, [&](std::uint64_t done) {
    interruption::check();
    bar.update(done, run.size());
  });
  to.commit();
  return to.path();
}

/// Writes what was selected, read a buffer at a time: memory does not grow with the file. Returns the path, links
/// resolved.
template <file_format Format>
std::string write(const checkpoint_file& from, const selection& chosen, const std::string& output,
                  const format_options& how) {
  const std::string path = with_suffix(output, Format::suffix);
  entries content(path, duplicates::refuse, {});
  for (const auto& [name, entry] : chosen) {
    if (entry->kind() == entry_kind::string) content.add_string(name, text_of(from.index, *entry));
    else content.add_stored(name, *entry, from.bytes);
  }
  const plan whole = Format::make_plan(content, how);
  if (how.checksum) return execute<checksummed_executor<crc32>>(whole, path);
  return execute<executor>(whole, path);
}

}  // namespace

exit_code convert(const convert_options& options, standard_output& out) {
  const std::string_view format = format_of(options);
  name_rules rules(options.only, options.renames);
  const checkpoint_file file(options.input);
  const selection chosen = select(file.index, rules);
  for (const std::string& rule : rules.unused())
    print_error("ckpt: note: --rename " + quoted(rule) + " matches no name\n");

  std::string written;
  if (format == safetensors::name) {
    // A checksum is of these names, and all of them.
    const bool is_valid = !options.checksum && options.only.empty() && options.renames.empty();
    const std::vector<std::pair<std::string, std::string>> metadata = select_metadata(file.index, rules, is_valid);
    const bool has_metadata = file.index.format() == safetensors::name;
    written = write<safetensors>(file, chosen, options.output,
                                 {.metadata = metadata,
                                  .format_pair = has_metadata ? format_pair::as_given : format_pair::added,
                                  .checksum = options.checksum});
  } else {
    written = write<mindspore>(file, chosen, options.output, {.checksum = options.checksum});
  }
  entry_count count;
  for (const auto& [name, entry] : chosen) count.add(entry->kind(), entry->size_bytes());
  out.print("wrote " + without_controls(written) + ": " + std::string(format) + ", " + count.text() +
            (options.checksum ? ", with a CRC-32\n" : "\n"));
  return exit_code::fine;
}

}  // namespace ckpt::tools
