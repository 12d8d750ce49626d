// Says what this library makes of safetensors files. Standard input: files one after the other, each behind its length
// as a little-endian u64. Standard output: one line a file, a JSON array: ["ok", [[name, kind, dtype, shape, offset,
// size]...], {metadata}], or ["refused", message].

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ckpt/core/byte_order.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/format/safetensors.hpp>
#include <ckpt/io/source.hpp>
#include <ckpt/json/utf8.hpp>
#include <ckpt/json/writer.hpp>

namespace {

/// A source that has to be read, as over a network.
class pieces final : public ckpt::source {
 public:
  explicit pieces(std::span<const std::byte> bytes) : source("<memory>"), m_bytes(bytes) {}
  std::uint64_t size() const noexcept override { return m_bytes.size(); }
  void read(std::uint64_t offset, ckpt::byte_span to) const override {
    require(offset, to.size());
    const auto from = m_bytes.subspan(static_cast<std::size_t>(offset), to.size());
    for (std::size_t i = 0; i < to.size(); ++i) to[i] = from[i];
  }

 private:
  std::span<const std::byte> m_bytes;
};

std::string describe(const ckpt::file_index& index) {
  std::string line = R"(["ok",[)";
  std::string_view separator;
  for (const ckpt::index_entry& entry : index) {
    line += separator;
    line += '[';
    ckpt::append_json_string(line, entry.name());
    line += ",\"" + std::string(name(entry.kind())) + "\",\"" + std::string(name(entry.type())) + "\"," +
            ckpt::to_string(entry.shape()) + ',';
    ckpt::append_json_number(line, entry.extents().empty() ? 0 : entry.extents()[0].offset);
    line += ',';
    ckpt::append_json_number(line, entry.size_bytes());
    line += ']';
    separator = ",";
  }
  line += "],{";
  separator = {};
  for (const auto& [key, value] : index.metadata()) {
    line += separator;
    ckpt::append_json_string(line, key);
    line += ':';
    ckpt::append_json_string(line, value);
    separator = ",";
  }
  return line + "}]";
}

std::string verdict(const ckpt::source& from) {
  try {
    return describe(ckpt::safetensors::read_index(from));
  } catch (const ckpt::format_error& refused) {
    std::string line = R"(["refused",)";
    ckpt::append_json_string(line, ckpt::is_utf8(refused.what()) ? refused.what() : "a message that is not UTF-8");
    return line + ']';
  }
}

/// The file that holds the tensors of `file` and nothing else, an int4 as the I8 that it is stored as.
std::vector<std::byte> rewritten(std::span<const std::byte> file) {
  const ckpt::file_index index = ckpt::safetensors::read_index(ckpt::memory_source(file));
  ckpt::entries tensors("<memory>", ckpt::duplicates::refuse, {});
  for (const ckpt::index_entry& entry : index) {
    if (entry.kind() != ckpt::entry_kind::tensor) continue;
    const ckpt::extent where = entry.extents()[0];
    const ckpt::dtype type = entry.type() == ckpt::dtype::int4 ? ckpt::dtype::int8 : entry.type();
    tensors.add_tensor(entry.name(),
                       {type, ckpt::shape(entry.shape()),
                        file.subspan(static_cast<std::size_t>(where.offset), static_cast<std::size_t>(where.size))});
  }
  std::vector<std::byte> result;
  const ckpt::plan made = ckpt::safetensors::make_plan(tensors, {});
  for (const ckpt::segment& part : made.segments()) {
    const std::size_t before = result.size();
    result.resize(before + static_cast<std::size_t>(part.size()));
    part.copy_to(0, std::span(result).subspan(before));
  }
  return result;
}

}  // namespace

int main(int argc, char**) {
  const bool rewrites = argc > 1;
  std::byte length[8];
  std::vector<std::byte> file;
  while (std::fread(length, 1, sizeof length, stdin) == sizeof length) {
    file.resize(static_cast<std::size_t>(ckpt::load_le<std::uint64_t>(length)));
    if (std::fread(file.data(), 1, file.size(), stdin) != file.size()) return 2;
    if (rewrites) {
      const std::vector<std::byte> result = rewritten(file);
      ckpt::store_le(length, std::uint64_t{result.size()});
      std::fwrite(length, 1, sizeof length, stdout);
      std::fwrite(result.data(), 1, result.size(), stdout);
      continue;
    }
    const std::string mapped = verdict(ckpt::memory_source(file));
    if (mapped != verdict(pieces(file))) {
      std::puts(R"(["refused","mapped and read, the same file gives two verdicts"])");
      continue;
    }
    std::puts(mapped.c_str());
  }
  return 0;
}
