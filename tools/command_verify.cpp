#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <ckpt/checkpoint/verify_checksum.hpp>
#include <ckpt/checksum/crc32.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/model/file_index.hpp>

#include "checkpoint_file.hpp"
#include "commands.hpp"
#include "entry_count.hpp"
#include "progress_bar.hpp"

namespace ckpt::tools {

namespace {

/// Where in the file the bytes of a bool tensor lie.
struct bool_run {
  extent where;
  const index_entry* entry;
};

std::vector<bool_run> bool_runs(const file_index& index) {
  std::vector<bool_run> runs;
  for (const index_entry& entry : index) {
    if (entry.kind() != entry_kind::tensor || entry.type() != dtype::boolean) continue;
    for (const extent& part : entry.extents())
      if (part.size > 0) runs.push_back({part, &entry});
  }
  std::sort(runs.begin(), runs.end(),
            [](const bool_run& a, const bool_run& b) { return a.where.offset < b.where.offset; });
  return runs;
}

/// Checks the part of a run that lies in `bytes`, the content of the file from `begin` on.
void check(const file_index& index, const bool_run& run, std::uint64_t begin, std::span<const std::byte> bytes) {
  const std::uint64_t from = std::max(run.where.offset, begin);
  const std::uint64_t to = std::min(run.where.offset + run.where.size, begin + bytes.size());
  const std::span<const std::byte> bools =
      bytes.subspan(static_cast<std::size_t>(from - begin), static_cast<std::size_t>(to - from));
  if (const auto bad = find_bad_bool(bools)) refuse_bool(index, *run.entry, bools[*bad], from + *bad);
}

}  // namespace

exit_code verify(const verify_options& options, standard_output& out) {
  const checkpoint_file file(options.file, options.key);  // all structure
  if (options.require_checksum && !file.index().has_checksum() && !file.index().is_sealed())
    throw integrity_error(errc::missing, {.path = file.index().label()},
                          "it has no CRC-32, which --require-crc asks for");
  const std::vector<bool_run> runs = bool_runs(file.index());
  std::optional<checksum_verifier<crc32>> checksum;
  if (file.index().has_checksum()) checksum.emplace(file.bytes(), file.index());
  progress_bar bar;
  std::vector<std::byte> buffer(buffer_size);
  auto next = runs.begin();
  for (std::uint64_t at = 0; at < file.bytes().size();) {
    const std::uint64_t left = file.bytes().size() - at;
    const std::span<std::byte> bytes =
        std::span(buffer).first(left < buffer.size() ? static_cast<std::size_t>(left) : buffer.size());
    file.bytes().read(at, bytes);
    if (checksum) checksum->update(bytes);
    const std::uint64_t end = at + bytes.size();
    for (; next != runs.end() && next->where.offset < end; ++next) {
      check(file.index(), *next, at, bytes);
      if (next->where.offset + next->where.size > end) break;  // goes on in the next buffer
    }
    at = end;
    bar.update(at, file.bytes().size());
  }
  if (checksum) checksum->finish();
  entry_count count;
  for (const index_entry& entry : file.index()) count.add(entry.kind(), entry.size_bytes());
  out.print("ok: " + std::string(file.index().format()) + ", " + count.text() + (checksum ? ", CRC-32 verified" : "") +
            encryption_of(file.index()) + "\n");
  return exit_code::fine;
}

}  // namespace ckpt::tools
