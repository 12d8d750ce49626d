#include <ckpt/format/mindspore.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "planned.hpp"

#include <ckpt/model/metadata_pairs.hpp>

using namespace ckpt;

namespace {

static_assert(file_format<mindspore>);

file_index index_of(std::string_view file) { return mindspore::read_index(memory_source(support::bytes(file), "f")); }

}  // namespace

TEST_CASE("ckpt: name and suffix") {
  CHECK(mindspore::name == "ckpt");
  CHECK(mindspore::suffix == "ckpt");
  CHECK(file_format<mindspore>);
}

TEST_CASE("ckpt: what is written can be read, of every dtype and shape") {
  std::vector<std::byte> content(16 * 6);
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<std::byte>(i);
  for (const shape& extents :
       {shape{}, shape{6}, shape{2, 3}, shape{1, 2, 1, 3, 1}, shape{0}, shape{4, 0}, shape{0, 0}}) {
    entries all("f", duplicates::refuse, {});
    for (const dtype_info& row : dtype_table) {
      if (row.mindspore.empty()) continue;
      const auto size = static_cast<std::size_t>(*content_size(row.type, extents));
      all.add_tensor(row.name, tensor_view(row.type, extents, std::span(content).first(size)));
    }
    const std::string file = support::planned(mindspore::make_plan(all, {}));
    const file_index index = index_of(file);
    CHECK(index.size() == all.size());
    std::size_t position = 0;
    for (const entry& given : all) {
      const index_entry& found = index[position++];
      INFO(given.name);
      CHECK(found.name() == given.name);
      CHECK((found.type() == given.type));
      CHECK(to_string(found.shape()) == to_string(given.shape));
      REQUIRE(found.extents().size() == 1);
      CHECK(file.substr(found.extents()[0].offset, found.extents()[0].size) == support::text(given.whole.bytes()));
    }
  }
}

TEST_CASE("ckpt: texts of every kind come back, but for zeros at their end") {
  entries all("f", duplicates::refuse, {});
  const std::string inner("a\0b", 3);
  const std::string outer("a\0\0", 3);
  all.add_string("empty", "");
  all.add_string("words", "d\u00eda \u20ac \U0001f600 \"\\\n");
  all.add_string("inner", inner);
  all.add_string("outer", outer);
  const file_index index = index_of(support::planned(mindspore::make_plan(all, {})));
  REQUIRE(index.size() == 4);
  CHECK(index[0].text().empty());
  CHECK(index[1].text() == "d\u00eda \u20ac \U0001f600 \"\\\n");
  CHECK(index[2].text() == inner);
  CHECK(index[3].text() == "a");
}

TEST_CASE("ckpt: metadata is for other formats, and is left out") {
  entries all("f", duplicates::refuse, {});
  const metadata_pairs pairs{{"author", "me"}};
  CHECK(support::planned(mindspore::make_plan(all, {.metadata = pairs})).empty());
}
