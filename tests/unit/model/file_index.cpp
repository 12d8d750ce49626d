#include <ckpt/model/file_index.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

#include "../support.hpp"

using namespace ckpt;

namespace {

std::string extents(const index_entry& entry) {
  std::string out;
  for (const extent& part : entry.extents())
    out.append("[")
        .append(std::to_string(part.offset))
        .append(",")
        .append(std::to_string(part.offset + part.size))
        .append(")");
  return out;
}

/// A tensor, a string, a tensor in chunks, a map, and the empty name.
file_index sample() {
  file_index index("ckpt", "f", 1000);
  const extent whole{10, 24};
  const std::array<extent, 3> parts{{{100, 4}, {200, 0}, {300, 8}}};
  index.add("w", entry_kind::tensor, dtype::float32, shape{2, 3}, std::span(&whole, 1));
  index.add_string("note", "some text");
  index.add("chunked", entry_kind::tensor, dtype::uint8, shape{12}, parts);
  index.add("table", entry_kind::map, dtype::uint8, {}, std::span(parts).first(2));
  index.add("", entry_kind::tensor, dtype::int8, shape{0}, {});
  CHECK(!index.index_names());
  index.add_metadata("format", "ms");
  index.set_has_checksum();
  return index;
}

void check_sample(const file_index& index) {
  CHECK(index.format() == "ckpt");
  CHECK(index.label() == "f");
  CHECK(index.file_size() == 1000);
  CHECK(index.has_checksum());
  REQUIRE(index.metadata().size() == 1);
  CHECK(index.metadata()[0] == file_index::metadata_pair("format", "ms"));
  REQUIRE(index.size() == 5);
  CHECK(!index.empty());

  CHECK(index[0].name() == "w");
  CHECK((index[0].kind() == entry_kind::tensor));
  CHECK((index[0].type() == dtype::float32));
  CHECK(to_string(index[0].shape()) == "[2,3]");
  CHECK(index[0].size_bytes() == 24);
  CHECK(extents(index[0]) == "[10,34)");
  CHECK(index[0].text().empty());

  CHECK((index[1].kind() == entry_kind::string));
  CHECK((index[1].type() == dtype::uint8));
  CHECK(index[1].text() == "some text");
  CHECK(index[1].size_bytes() == 9);
  CHECK(index[1].shape().empty());
  CHECK(index[1].extents().empty());

  CHECK(index[2].size_bytes() == 12);
  CHECK(extents(index[2]) == "[100,104)[200,200)[300,308)");

  CHECK((index[3].kind() == entry_kind::map));
  CHECK(index[3].size_bytes() == 4);
  CHECK(extents(index[3]) == "[100,104)[200,200)");

  CHECK(index[4].name().empty());
  CHECK(index[4].extents().empty());
  CHECK(index[4].size_bytes() == 0);
}

}  // namespace

TEST_CASE("file_index: every kind of entry, in order") { check_sample(sample()); }

TEST_CASE("file_index: moved, and what it handed out stays") {
  file_index first = sample();
  const index_entry& entry = first[1];
  const std::string_view text = entry.text();
  file_index second = std::move(first);
  check_sample(second);
  CHECK(text == "some text");
  file_index third("safetensors", "g", 1);
  third = std::move(second);
  check_sample(third);
  CHECK(third.find("table") == &third[3]);
}

TEST_CASE("file_index: everything given is copied") {
  file_index index("ckpt", "f", 1000);
  {
    std::string name = "name";
    std::string text = "text";
    std::vector<std::int64_t> shape{1, 2};
    std::vector<extent> where{{1, 1}, {5, 1}};
    index.add(name, entry_kind::tensor, dtype::uint8, shape, where);
    index.add_string(text, text);
    index.add_metadata(name, text);
    name = text = "gone";
    shape.assign(2, 9);
    where.assign(2, {9, 9});
  }
  CHECK(index[0].name() == "name");
  CHECK(to_string(index[0].shape()) == "[1,2]");
  CHECK(extents(index[0]) == "[1,2)[5,6)");
  CHECK(index[1].name() == "text");
  CHECK(index[1].text() == "text");
  CHECK(index.metadata()[0] == file_index::metadata_pair("name", "text"));
}

TEST_CASE("file_index: found by name") {
  const file_index index = sample();
  CHECK(index.find("w") == &index[0]);
  CHECK(index.find("") == &index[4]);
  CHECK(index.find("W") == nullptr);
  const file_index empty("ckpt", "f", 0);
  CHECK(empty.find("w") == nullptr);
}

TEST_CASE("file_index: index_names tells the first name that comes twice, also of those added since") {
  file_index index = sample();
  index.add_string("new", "");
  index.add("w", entry_kind::tensor, dtype::uint8, shape{1}, {});
  index.add_string("table", "text");
  CHECK(index.index_names() == 6);
  CHECK(index.find("w") == &index[0]);
  CHECK(index.find("new") == &index[5]);

  file_index twins("ckpt", "f", 0);
  twins.add_string("", "");
  twins.add_string("", "");
  CHECK(twins.index_names() == 1);
}

TEST_CASE("file_index: what was added is found once index_names has seen it") {
  file_index index = sample();
  index.add_string("new", "text");
  CHECK(index.find("new") == nullptr);
  CHECK(!index.index_names());
  CHECK(index.find("new") == &index[5]);
  CHECK(!index.index_names());
}

TEST_CASE("file_index: only those that choose accepts, all else the same") {
  const file_index index = sample();
  std::string asked;
  const file_index some = index.only([&](std::string_view name) {
    asked.append(name).append(" ");
    return name != "w" && name != "table";
  });
  CHECK(asked == "w note chunked table  ");
  REQUIRE(some.size() == 3);
  CHECK(some[0].text() == "some text");
  CHECK(extents(some[1]) == "[100,104)[200,200)[300,308)");
  CHECK(some[2].name().empty());
  CHECK(some.has_checksum());
  CHECK(some.metadata().size() == 1);
  CHECK(some.format() == "ckpt");
  CHECK(some.file_size() == 1000);
  CHECK(some.find("w") == nullptr);
  check_sample(index.only([](std::string_view) { return true; }));
  CHECK(index.only([](std::string_view) { return false; }).empty());
}

TEST_CASE("file_index: what only() returns stands on its own") {
  const file_index some = [] {
    const file_index index = sample();
    return index.only([](std::string_view) { return true; });
  }();
  check_sample(some);
}

TEST_CASE("file_index: relocate gives other extents and changes nothing else") {
  file_index index = sample();
  const std::array<extent, 2> two{{{0, 10}, {64, 14}}};
  index.relocate(0, two);
  CHECK(extents(index[0]) == "[0,10)[64,78)");
  CHECK(index[0].size_bytes() == 24);
  const extent one{128, 12};
  index.relocate(2, std::span(&one, 1));
  CHECK(extents(index[2]) == "[128,140)");
  CHECK(to_string(index[2].shape()) == "[12]");
  CHECK(index.find("chunked") == &index[2]);
}

TEST_CASE("file_index: many, reserved or not") {
  file_index index("ckpt", "f", 1000);
  index.reserve(10);
  for (std::size_t i = 0; i < 20'000; ++i) {
    const extent where{i, 1};
    const std::string name = "layer." + std::to_string(i);
    index.add(name, entry_kind::tensor, dtype::uint8, shape{1}, std::span(&where, 1));
  }
  index.reserve(5);
  CHECK(!index.index_names());
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < 20'000; ++i) {
    const index_entry* const found = index.find("layer." + std::to_string(i));
    wrong += found == &index[i] && found->extents()[0].offset == i ? 0u : 1u;
  }
  CHECK(wrong == 0);
}
