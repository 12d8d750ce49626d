#include <ckpt/model/entries.hpp>

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <ckpt/tensor/tensor.hpp>

#include "summary.hpp"

using namespace ckpt;

namespace {

tensor byte(std::uint8_t value) { return tensor(shape{1}, {value}); }

}  // namespace

TEST_CASE("entries: in order, with name, dtype, shape and content") {
  const tensor t({2, 1}, {std::int16_t{1}, std::int16_t{2}});
  entries all = support::no_entries();
  all.add_tensor("b", t);
  all.add_tensor("a", t);
  all.add_string("note", "text");
  CHECK(all.size() == 3);
  CHECK(all.label() == "f");
  CHECK(support::summary(all) == "b int16[2,1] 01000200; a int16[2,1] 01000200; note \"text\"");
  CHECK(all.begin()->pieces().size() == 1);
  CHECK(all.begin()->size_bytes == 4);
}

TEST_CASE("entries: names, shapes and lists of pieces are kept, content is borrowed") {
  const std::array<std::byte, 4> content{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
  entries all = support::no_entries();
  {
    const std::string name = "a name of its own, too long to lie in the string itself";
    const std::vector<std::int64_t> extents{2, 2};
    const std::vector<segment> pieces{std::span(content).first(1), std::span(content).last(3)};
    all.add_tensor(name, tensor_view(dtype::uint8, shape(extents), content));
    all.add_pieces("pieces", entry_kind::tensor, dtype::uint8, extents, pieces);
  }
  CHECK(support::summary(all) ==
        "a name of its own, too long to lie in the string itself uint8[2,2] 01020304; pieces uint8[2,2] 01020304");
  CHECK(all.begin()->whole.bytes().data() == content.data());
}

TEST_CASE("entries: pieces one after the other, or none") {
  const std::array<std::byte, 3> content{std::byte{1}, std::byte{2}, std::byte{3}};
  const std::vector<segment> pieces{std::span(content).last(2), std::span(content).first(1)};
  entries all = support::no_entries();
  all.add_pieces("map", entry_kind::map, dtype::uint8, {}, pieces);
  all.add_pieces("none", entry_kind::tensor, dtype::int8, shape{0}, {});
  CHECK(support::summary(all) == "map map[] 020301; none int8[0] ");
  CHECK(all.begin()->pieces().size() == 2);
}

TEST_CASE("entries: what a file holds, read only while it is written") {
  std::string bytes = "..abcd..efg";
  const memory_source source(support::bytes(bytes), "f");
  file_index index("ckpt", "f", bytes.size());
  const std::array<extent, 2> both{{{2, 4}, {8, 2}}};
  index.add("t", entry_kind::tensor, dtype::int16, shape{3, 1}, both);
  index.add("m", entry_kind::map, dtype::uint8, {}, std::span(both).last(1));
  index.add("none", entry_kind::tensor, dtype::int8, shape{0}, {});
  REQUIRE(!index.index_names());
  entries all = support::no_entries();
  all.add_stored("new", index.at("t"), source);
  all.add_stored("m", index.at("m"), source);
  all.add_stored("none", index.at("none"), source);
  bytes[2] = 'x';
  CHECK(support::summary(all) == "new int16[3,1] 786263646566; m map[] 6566; none int8[0] ");
}

TEST_CASE("entries: a strided view is kept, its elements are borrowed") {
  std::array<std::uint8_t, 4> m{1, 2, 3, 4};
  entries all = support::no_entries();
  all.add_tensor("t", tensor_view::strided(dtype::uint8, {2, 2}, m.data(), {1, 2}));
  m[3] = 9;
  CHECK(support::summary(all) == "t uint8[2,2] 01030209");
}

TEST_CASE("entries: what is held lives as long as they do, and where it was given") {
  entries all = support::no_entries();
  tensor& kept = all.hold(byte(7));
  for (std::uint8_t i = 0; i < 100; ++i) all.hold(byte(i));
  all.add_tensor("kept", kept);
  const entries moved = std::move(all);
  CHECK(support::summary(moved) == "kept uint8[1] 07");
}

TEST_CASE("entries: what cannot be copied is held too, and destroyed once") {
  struct counted {
    int* alive;
    explicit counted(int& count) : alive(&count) { ++*alive; }
    counted(counted&& other) noexcept : alive(other.alive) { ++*alive; }
    ~counted() { --*alive; }
  };
  int alive = 0;
  {
    entries all = support::no_entries();
    all.hold(counted(alive));
    all.hold(std::make_unique<int>(3));
    CHECK(alive == 1);
  }
  CHECK(alive == 0);
}

TEST_CASE("entries refuse: one name twice, with the facts") {
  const tensor t = byte(1);
  entries all = support::no_entries();
  all.add_tensor("w", t);
  all.add_tensor("", t);
  const auto e = support::error_of<usage_error>([&] { all.add_tensor("w", t); });
  CHECK(std::string(e.what()) ==
        "f: tensor \"w\": the name is given twice; rename one, or save with .duplicates = "
        "ckpt::duplicates::keep_last");
  CHECK(e.code() == errc::duplicate);
  CHECK(e.path() == "f");
  CHECK(e.name() == "w");
  CHECK_THROWS_AS(all.add_string("", "text"), usage_error);
  CHECK(all.size() == 2);
}

TEST_CASE("entries: with keep_last the last value stands in the first place, and no given name is borrowed") {
  const tensor t = byte(1);
  const std::string name = "a name that is too long to lie in the string itself";
  entries all = support::no_entries(duplicates::keep_last);
  for (const char* const text : {"first", "last text"}) {
    std::string given = name;
    all.add_string(given, text);
    if (all.size() == 1) all.add_tensor("second", t);
    given.assign(given.size(), 'x');
  }
  CHECK(support::summary(all) == name + " \"last text\"; second uint8[1] 01");
}

TEST_CASE("entries: choose decides by name; without it all are wanted") {
  entries all = support::no_entries();
  CHECK(all.wants("anything"));
  entries some = support::no_entries(duplicates::refuse, [](std::string_view name) { return name == "a"; });
  CHECK(some.wants("a"));
  CHECK(!some.wants("b"));
}

TEST_CASE("entries: found by name") {
  const tensor t = byte(1);
  entries all = support::no_entries();
  CHECK(all.find("a") == nullptr);
  all.add_tensor("a", t);
  all.add_string("", "text");
  CHECK(all.find("a") == all.begin());
  CHECK(all.find("")->kind == entry_kind::string);
  CHECK(all.find("b") == nullptr);
}

TEST_CASE("entries: many") {
  const tensor t = byte(1);
  entries all = support::no_entries();
  for (int i = 0; i < 20'000; ++i) all.add_tensor("layer." + std::to_string(i), t);
  REQUIRE(all.size() == 20'000);
  int wrong = 0;
  int position = 0;
  for (const entry& e : all) wrong += e.name == "layer." + std::to_string(position++) ? 0 : 1;
  CHECK(wrong == 0);
}
