#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <ckpt/checkpoint/checksummed_executor.hpp>
#include <ckpt/checkpoint/executor.hpp>
#include <ckpt/checkpoint/file_name.hpp>
#include <ckpt/checkpoint/verify_checksum.hpp>
#include <ckpt/checkpoint/with_policies.hpp>
#include <ckpt/checksum/crc32.hpp>
#include <ckpt/cipher/structure.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/crypto.hpp>
#include <ckpt/format/concept.hpp>
#include <ckpt/format/mindspore.hpp>
#include <ckpt/format/mindspore_schema.hpp>
#include <ckpt/format/plan.hpp>
#include <ckpt/format/safetensors.hpp>
#include <ckpt/format/safetensors_schema.hpp>
#include <ckpt/io/atomic_file.hpp>
#include <ckpt/model/entries.hpp>
#include <ckpt/model/entry_kind.hpp>
#include <ckpt/model/file_index.hpp>
#include <ckpt/model/segment.hpp>
#include <ckpt/tensor/dtype.hpp>

#include "checkpoint_file.hpp"
#include "commands.hpp"
#include "entry_count.hpp"
#include "human_size.hpp"
#include "interruption.hpp"
#include "name_rules.hpp"
#include "output_mode.hpp"
#include "printable.hpp"
#include "progress_bar.hpp"
#include "standard_error.hpp"

namespace ckpt::tools {

namespace {

/// The policy's name of what the command line calls `aes-gcm`.
std::string_view cipher_name(std::string_view option) {
  if (option == "aes-gcm") return aes_gcm::name;
  if (option == "aes-cbc") return aes_cbc::name;
  return option.empty() ? std::string_view() : sm4_cbc::name;
}

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

/// Whether a pair of the metadata says something of a tensor, other than that it is an int4 one. It is no entry.
bool is_about_tensor(const file_index& index, std::string_view key) {
  if (safetensors_schema::is_reserved(key)) return false;
  const index_entry* const named = index.find(key);
  return named != nullptr && named->kind() == entry_kind::tensor && named->type() != dtype::int4;
}

/// The pairs of the input's metadata that still hold, in their order; a checksum only where it `is_valid`. (Strings
/// are entries too: given twice they stay once.) Throws mismatch_error where a pair would be about the file then.
metadata_pairs select_metadata(const file_index& index, name_rules& rules, bool is_valid) {
  namespace schema = safetensors_schema;
  metadata_pairs pairs;
  for (const auto& [key, value] : index.metadata()) {
    if (key == schema::checksum_key && !is_valid) continue;
    if (schema::is_reserved(key)) {
      pairs.add(key, value);
    } else if (rules.wants(key)) {
      const std::string renamed = rules.rename(key);
      if (!schema::is_reserved(renamed)) pairs.add(renamed, value);
      else if (is_about_tensor(index, key))
        throw mismatch_error(errc::invalid_name,
                             {.path = index.label(), .name = std::string(key), .noun = "metadata pair"},
                             "it would be named " + in_quotes(renamed) + ", which says something of the file");
      // A string of that name is refused where entries are written, as an int4 tensor is.
    }
  }
  return pairs;
}

/// What a ckpt file cannot hold of the metadata of IN. Its format pair is not told: it is about IN.
std::string lost_metadata(const file_index& from, const name_rules& rules) {
  std::uint64_t count = 0;
  bool had_redundancy = false;
  for (const auto& [key, value] : from.metadata()) {
    if (key == safetensors_schema::redundancy_key) had_redundancy = true;
    else if (is_about_tensor(from, key) && rules.wants(key)) ++count;
  }
  std::string lost;
  if (count > 0)
    lost += ", without " +
            counted(count, "metadata pair that is named as a tensor", "metadata pairs that are named as tensors");
  if (had_redundancy) lost += ", without its remove_redundancy";
  return lost;
}

/// Moves the plan's bytes into the file. Returns its path, links resolved.
template <class Executor>
std::string execute(const plan& whole, const std::string& path, const execution_options& how = {}) {
  Executor run(whole, how);
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

/// The same, encrypted where a cipher is named.
std::string encrypt(const plan& whole, const std::string& path, std::string_view cipher, const key_options& keys) {
  if (cipher.empty()) return execute<executor>(whole, path);
  const std::optional<secret_key> key = keys.read();
  if (!key)
    throw command_line_error("say where the key of OUT is: --out-key-file, --out-key-env or --out-passphrase-env");
  const execution_options how{.key = &*key, .label = path};
  return with_policies<aes_gcm, aes_cbc, sm4_cbc>({cipher}, [&]<class... Chosen>(policies<Chosen...>) {
    using set = policy_set<Chosen...>;
    return execute<typename ckpt::detail::executor_of<typename set::cipher, no_checksum>::type>(whole, path, how);
  });
}

/// Writes what was selected, read a buffer at a time: memory does not grow with the file. Returns the path, links
/// resolved.
template <file_format Format>
std::string write(const checkpoint_file& from, const selection& chosen, const std::string& output,
                  const format_options& how, std::string_view cipher = {}, const key_options& key = {}) {
  const std::string path = with_suffix(output, Format::suffix);
  entries content(path, duplicates::refuse, {});
  for (const auto& [name, entry] : chosen) {
    if (entry->kind() == entry_kind::string) content.add_string(name, text_of(from.index(), *entry));
    else content.add_stored(name, *entry, from.bytes());
  }
  const plan whole = Format::make_plan(content, how);
  if (how.checksum) return execute<checksummed_executor<crc32>>(whole, path);
  return encrypt(whole, path, cipher, key);
}

/// The plain bytes of the file as they are. What is content stays marked so where the seal tells it from the rest: then
/// the seal of a copy tells it, too. `origins` is where the contents are read from, and must outlive the plan.
/// Without a checksum, which no encrypted file has at its end: MindSpore would take it for a part of the seal.
plan copy_of(const checkpoint_file& file, std::vector<gather>& origins) {
  plan copy;
  const std::uint64_t end =
      file.bytes().size() - (file.index().has_checksum() ? mindspore_schema::checksum_trailer_size : 0);
  const auto read_later = [&](std::uint64_t begin, std::uint64_t size) {
    origins.push_back({nullptr, begin, &file.bytes()});
    return segment(origins.back(), size);
  };
  if (file.structure().empty()) {
    origins.reserve(1);
    copy.add(read_later(0, end));
    return copy;
  }
  const structure_source structure(file.structure(), file.index().label());
  std::uint64_t at = 0;
  const auto keep_until = [&](std::uint64_t place) {
    const std::span<std::byte> kept = copy.store(static_cast<std::size_t>(place - at));
    structure.read(at, kept);
    copy.add(kept);
  };
  std::vector<extent> contents;
  for (const index_entry& entry : file.index())
    if (entry.kind() == entry_kind::tensor)
      contents.insert(contents.end(), entry.extents().begin(), entry.extents().end());
  origins.reserve(contents.size());
  for (const extent& content : contents) {
    keep_until(content.offset);
    copy.add(read_later(content.offset, content.size).as_content());
    at = content.offset + content.size;
  }
  keep_until(end);
  return copy;
}

constexpr std::string_view without_checksum = ", without its checksum";

/// What protects IN and not OUT.
std::string what_is_lost(const file_index& from, const convert_options& options, bool has_checksum) {
  if (!options.cipher.empty()) return "";
  std::string lost;
  if (!from.cipher().empty()) lost += ", not encrypted any more";
  if (from.has_checksum() && !has_checksum) lost += without_checksum;
  return lost;
}

}  // namespace

exit_code convert(const convert_options& options, standard_output& out) {
  const std::string_view format = format_of(options);
  name_rules rules(options.only, options.renames);
  if (!options.cipher.empty() && format == safetensors::name)
    throw command_line_error("--encrypt: only ckpt files are encrypted; name OUT so, or say --to ckpt");
  if (!options.cipher.empty() && options.checksum)
    throw command_line_error("--encrypt and --crc exclude each other: an encrypted file is sealed");
  if (options.cipher.empty() && options.out_key.is_given())
    throw command_line_error("a key is given for OUT, but no cipher: say --encrypt aes-gcm, aes-cbc or sm4-cbc");
  const checkpoint_file file(options.input, options.key);
  const selection chosen = select(file.index(), rules);
  for (const std::string& rule : rules.unused())
    print_error("ckpt: note: --rename " + in_quotes(rule) + " matches no name\n");

  std::string written;
  std::string lost;
  bool has_checksum = options.checksum;
  if (format == safetensors::name) {
    const bool has_metadata = file.index().format() == safetensors::name;
    // A checksum is of these names, and all of them.
    const bool is_valid = !options.checksum && options.only.empty() && options.renames.empty();
    has_checksum = has_checksum || (has_metadata && is_valid);
    const metadata_pairs metadata = select_metadata(file.index(), rules, is_valid);
    written = write<safetensors>(file, chosen, options.output,
                                 {.metadata = metadata,
                                  .format_pair = has_metadata ? format_pair::as_given : format_pair::added,
                                  .checksum = options.checksum});
  } else {
    written = write<mindspore>(file, chosen, options.output, {.checksum = options.checksum},
                               cipher_name(options.cipher), options.out_key);
    lost = lost_metadata(file.index(), rules);
  }
  entry_count count;
  for (const auto& [name, entry] : chosen) count.add(entry->kind(), entry->size_bytes());
  out.print(
      "wrote " + without_controls(written) + ": " + std::string(format) + ", " + count.text() +
      (options.checksum ? ", with a CRC-32" : "") +
      (options.cipher.empty() ? "" : ", encrypted with " + std::string(cipher_name(options.cipher)) + " and sealed") +
      what_is_lost(file.index(), options, has_checksum) + lost + "\n");
  return exit_code::fine;
}

exit_code rekey(const rekey_options& options, standard_output& out) {
  const checkpoint_file file(options.input, options.key);
  if (file.index().cipher().empty())
    throw format_error(errc::not_encrypted, {.path = file.index().label()},
                       "the file is not encrypted; to encrypt it, use `ckpt convert --encrypt`");
  const std::string_view cipher = options.cipher.empty() ? file.index().cipher() : cipher_name(options.cipher);
  const bool has_checksum = file.index().has_checksum();
  if (has_checksum) verify_checksum<crc32>(file.bytes(), file.index(), false);
  std::vector<gather> origins;
  const plan whole = copy_of(file, origins);
  const std::string written = encrypt(whole, options.output, cipher, options.out_key);
  out.print("wrote " + without_controls(written) + ": encrypted with " + std::string(cipher) + " and sealed" +
            std::string(has_checksum ? without_checksum : "") + "\n");
  return exit_code::fine;
}

}  // namespace ckpt::tools
