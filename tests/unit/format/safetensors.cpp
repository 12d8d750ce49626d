#include <ckpt/format/safetensors.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

#include <ckpt/model/metadata_pairs.hpp>

using namespace ckpt;

namespace {

static_assert(file_format<safetensors>);

std::vector<std::byte> file_of(const entries& given, const format_options& options = {}) {
  const plan made = safetensors::make_plan(given, options);
  std::vector<std::byte> file(static_cast<std::size_t>(made.size()));
  std::size_t at = 0;
  for (const segment& part : made.segments()) {
    part.copy_to(0, std::span(file).subspan(at, static_cast<std::size_t>(part.size())));
    at += static_cast<std::size_t>(part.size());
  }
  return file;
}

}  // namespace

TEST_CASE("safetensors: what is written is read back, of every dtype and of shapes with and without elements") {
  std::array<std::byte, 128> content{};
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<std::byte>(i * 7);
  entries given("f", duplicates::refuse, {});
  for (const dtype_info& row : dtype_table) {
    if (row.type == dtype::complex128) continue;
    for (const shape& extents : {shape{8}, shape{2, 0, 3}, shape{}, shape{1, 4, 2}}) {
      const std::optional<std::uint64_t> size = content_size(row.type, extents);
      if (!size) continue;  // one element of 4 or 6 bits
      given.add_tensor(std::string(row.name) + to_string(extents),
                       tensor_view(row.type, extents, std::span(content).first(static_cast<std::size_t>(*size))));
    }
  }
  given.add_string(
      "text \"\\\n\x01 d\xc3\xad"
      "a",
      "\xf0\x9f\x98\x80\n");
  given.add_string("", "");

  const std::vector<std::byte> file = file_of(given);
  const file_index index = safetensors::read_index(memory_source(file));
  CHECK(index.size() == given.size());
  for (const entry& wanted : given) {
    const index_entry* const found = index.find(wanted.name);
    REQUIRE(found != nullptr);
    CHECK(found->kind() == wanted.kind);
    CHECK(to_string(found->shape()) == to_string(wanted.shape));
    CHECK(found->size_bytes() == wanted.size_bytes);
    const std::span<const std::byte> bytes = wanted.whole.bytes();
    if (wanted.kind == entry_kind::string) {
      CHECK(std::as_bytes(std::span(found->text())).size() == bytes.size());
      CHECK(found->text() == std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    } else {
      CHECK(found->type() == wanted.type);
      REQUIRE(found->extents().size() == 1);
      const extent where = found->extents()[0];
      CHECK(where.offset % (info(wanted.type).bits > 8 ? info(wanted.type).bits / 8u : 1u) == 0);
      CHECK(std::memcmp(file.data() + where.offset, bytes.data(), bytes.size()) == 0);
    }
  }
}

TEST_CASE("safetensors: nothing at all is read back as nothing") {
  const std::vector<std::byte> file = file_of(entries("f", duplicates::refuse, {}));
  const file_index index = safetensors::read_index(memory_source(file));
  CHECK(index.empty());
  CHECK(index.metadata().empty());
}

TEST_CASE("safetensors: metadata is read back in order") {
  const metadata_pairs pairs{{"b", "1"}, {"a", "2"}};
  const std::vector<std::byte> file = file_of(entries("f", duplicates::refuse, {}), {.align = 4096, .metadata = pairs});
  CHECK(file.size() == 4096);
  const file_index index = safetensors::read_index(memory_source(file));
  REQUIRE(index.metadata().size() == 3);
  CHECK(index.metadata()[0] == file_index::metadata_pair("format", "ms"));
  CHECK(index.metadata()[1] == file_index::metadata_pair("b", "1"));
  CHECK(index.metadata()[2] == file_index::metadata_pair("a", "2"));
}

TEST_CASE("safetensors: what a loaded file said of itself is said again, unless the caller says otherwise") {
  const std::array<metadata_pair, 4> loaded{metadata_pair("license", "mit"), metadata_pair("remove_redundancy", "True"),
                                            metadata_pair("format", "pt"), metadata_pair("crc_num", "7")};
  const std::array<float, 1> values{1.0f};
  const tensor_view w(std::span<const float>(values), {1});
  entries given("f", duplicates::refuse, {});
  given.set_metadata(loaded);
  given.add_tensor("w", w);
  SUBCASE("again: the format and the redundancy; other pairs are entries, and a checksum would be of other bytes") {
    const file_index index = safetensors::read_index(memory_source(file_of(given)));
    REQUIRE(index.metadata().size() == 2);
    CHECK(index.metadata()[0] == metadata_pair("format", "pt"));
    CHECK(index.metadata()[1] == metadata_pair("remove_redundancy", "True"));
  }
  SUBCASE("otherwise") {
    const metadata_pairs pairs{{"remove_redundancy", "False"}, {"format", "np"}};
    const file_index index = safetensors::read_index(memory_source(file_of(given, {.metadata = pairs})));
    REQUIRE(index.metadata().size() == 2);
    CHECK(index.metadata()[0] == metadata_pair("format", "np"));
    CHECK(index.metadata()[1] == metadata_pair("remove_redundancy", "False"));
  }
}
