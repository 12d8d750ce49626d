#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <unistd.h>

#include <ckpt/checkpoint/load.hpp>
#include <ckpt/checkpoint/save.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/format/mindspore.hpp>
#include <ckpt/format/safetensors.hpp>
#include <ckpt/model/state_dict.hpp>

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

using selection = std::vector<std::pair<std::string, state_value>>;

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
selection select(const state_dict& model, name_rules& rules, const std::string& input) {
  selection chosen;
  std::unordered_map<std::string, std::string_view> old_names;
  for (const auto& [name, value] : model) {
    if (!rules.wants(name)) continue;
    chosen.emplace_back(rules.rename(name), value);
    const auto [other, is_new] = old_names.emplace(chosen.back().first, name);
    if (!is_new)
      throw mismatch_error(
          errc::duplicate, {.path = input, .name = std::string(name), .noun = "entry"},
          "it would be named " + printable(other->first) + ", as " +
              (other->second == other->first ? "another one is" : printable(other->second) + " would"));
  }
  if (chosen.empty() && !model.empty())
    throw mismatch_error(errc::missing, {.path = input},
                         "--only matches none of its " + counted(model.size(), "name", "names"));
  return chosen;
}

/// The pairs of the input's metadata that still hold, in their order. (Strings are entries too: given twice they stay
/// once.)
std::vector<std::pair<std::string, std::string>> select_metadata(const state_dict& model, name_rules& rules,
                                                                 bool is_whole) {
  namespace schema = safetensors_schema;
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& [key, value] : model.metadata()) {
    if (key == schema::checksum_key && !is_whole) continue;  // of these names and all of them
    if (schema::is_reserved(key)) pairs.emplace_back(key, value);
    else if (rules.wants(key)) pairs.emplace_back(rules.rename(key), value);
  }
  return pairs;
}

}  // namespace

exit_code convert(const convert_options& options, standard_output& out) {
  const std::string_view format = format_of(options);
  name_rules rules(options.only, options.renames);
  const state_dict model = load(options.input);
  const selection chosen = select(model, rules, options.input);
  for (const std::string& rule : rules.unused())
    print_error("ckpt: note: --rename " + quoted(rule) + " matches no name\n");

  progress_bar bar("syncing to the disk");
  save_options how;
  how.progress = [&](progress state) {
    interruption::check();
    bar.update(state.done, state.total);
  };
  const bool is_safetensors = format == safetensors::name;
  how.mode = output_mode(with_suffix(options.output, is_safetensors ? safetensors::suffix : mindspore::suffix));
  const interruption guard;
  save_report report;
  if (is_safetensors) {
    how.metadata = select_metadata(model, rules, options.only.empty() && options.renames.empty());
    report = save<safetensors>(chosen, options.output, how);
  } else {
    report = save<mindspore>(chosen, options.output, how);
  }
  bar.hide();
  entry_count count;
  for (const auto& [name, value] : chosen) count.add(value.kind(), value.size_bytes());
  out.print("wrote " + without_controls(report.path) + ": " + std::string(format) + ", " + count.text() + "\n");
  return exit_code::fine;
}

}  // namespace ckpt::tools
