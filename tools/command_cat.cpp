#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include <ckpt/core/error.hpp>
#include <ckpt/io/atomic_file.hpp>
#include <ckpt/model/file_index.hpp>
#include <ckpt/tensor/dtype.hpp>

#include "checkpoint_file.hpp"
#include "commands.hpp"
#include "interruption.hpp"
#include "npy.hpp"
#include "output_mode.hpp"

namespace ckpt::tools {

namespace {

const index_entry& find(const file_index& index, const std::string& name) {
  const index_entry* const entry = index.find(name);
  if (entry == nullptr)
    throw mismatch_error(errc::missing, {.path = index.label(), .name = name, .noun = "entry"},
                         "there is none of that name among " + std::to_string(index.size()) + "; `ckpt ls` shows them");
  if (entry->kind() == entry_kind::map)
    throw mismatch_error(errc::unsupported, {.path = index.label(), .name = name, .noun = "map"},
                         "a hash table is neither an array nor text");
  return *entry;
}

std::string header_of(const index_entry& entry) {
  if (info(entry.type()).bits % 8 == 0) return npy_header(npy_type(entry.type()), entry.shape());
  const auto bytes = static_cast<std::int64_t>(entry.size_bytes());
  return npy_header(npy_type(entry.type()), std::span(&bytes, 1));
}

template <sink Sink>
void write_array(const checkpoint_file& file, const index_entry& entry, std::string_view header, Sink& to) {
  to.write(std::as_bytes(std::span(header)));
  content_stream content(file.bytes(), entry);
  std::vector<std::byte> buffer(entry.size_bytes() < buffer_size ? static_cast<std::size_t>(entry.size_bytes())
                                                                 : buffer_size);
  while (const std::size_t count = content.read(buffer)) {
    const std::span<const std::byte> bytes = std::span(buffer).first(count);
    if (entry.type() == dtype::boolean)
      if (const auto bad = find_bad_bool(bytes)) refuse_bool(file.index(), entry, bytes[*bad]);
    to.write(bytes);
    interruption::check();
  }
}

}  // namespace

exit_code cat(const cat_options& options, standard_output& out) {
  const checkpoint_file file(options.file, options.key);
  const index_entry& entry = find(file.index(), options.name);
  const bool is_text = entry.kind() == entry_kind::string;
  const std::string_view text = text_of(file.index(), entry);
  const std::string header = is_text ? std::string() : header_of(entry);

  if (!options.output.empty() && options.output != "-") {
    const unsigned mode = output_mode(options.output, "name a file, or - for standard output");
    const interruption guard;
    const std::uint64_t size = is_text ? text.size() : header.size() + entry.size_bytes();
    atomic_file to(options.output, size, {.sync = durability::none, .mode = mode});
    if (is_text) to.write(std::as_bytes(std::span(text)));
    else write_array(file, entry, header, to);
    to.commit();
    return exit_code::fine;
  }
  const bool is_terminal = ::isatty(STDOUT_FILENO) != 0;
  if (is_text) {
    out.print(text);
    if (is_terminal && !text.ends_with('\n')) out.print("\n");
  } else if (is_terminal && options.output.empty()) {
    throw command_line_error(
        "a tensor is binary and would only confuse the terminal: name a file with -o FILE, or redirect the output (-o "
        "- prints it all the same)");
  } else {
    write_array(file, entry, header, out);
  }
  return exit_code::fine;
}

}  // namespace ckpt::tools
