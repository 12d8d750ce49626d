#include <ckpt/checkpoint/inspect.hpp>

#include <doctest/doctest.h>

#include <string>

#include <ckpt/checkpoint/save.hpp>
#include <ckpt/format/safetensors.hpp>

#include <unistd.h>

#include "../format/ckpt_file.hpp"
#include "../io/scratch.hpp"

using namespace ckpt;

namespace {

std::string listing(const file_index& index) {
  std::string out;
  for (const index_entry& entry : index) {
    out.append(entry.name()).append(" ").append(name(entry.kind())).append(" ").append(name(entry.type()));
    out.append(to_string(entry.shape())).append(" ").append(std::to_string(entry.size_bytes())).append("; ");
  }
  return out;
}

const std::vector<std::pair<std::string, tensor>> weights{{"b", tensor({2, 1}, {1.0F, 2.0F})},
                                                          {"a", tensor({2, 1}, {3.0F, 4.0F})}};
const save_options options{.append = {{"epoch", 3}, {"note", "d\u00eda"}}, .durability = durability::none};

}  // namespace

TEST_CASE("inspect: what a ckpt file holds, in its order") {
  const scratch::directory here;
  save(weights, here / "model", options);
  const file_index index = inspect(here / "model.ckpt");
  CHECK(listing(index) ==
        "b tensor float32[2,1] 8; a tensor float32[2,1] 8; epoch tensor int64[] 8; note string uint8[] 4; ");
  CHECK(index.format() == "ckpt");
  CHECK(index.label() == here / "model.ckpt");
  CHECK(index.file_size() == scratch::get(here / "model.ckpt").size());
  CHECK(scratch::get(here / "model.ckpt").substr(index[0].extents()[0].offset, 8) ==
        scratch::text(weights[0].second.bytes()));
}

TEST_CASE("inspect: what a safetensors file holds, in the order of its data") {
  const scratch::directory here;
  save<safetensors>(weights, here / "model", options);
  const file_index index = inspect(here / "model.safetensors");
  CHECK(listing(index) ==
        "epoch tensor int64[] 8; a tensor float32[2,1] 8; b tensor float32[2,1] 8; note string uint8[] 4; ");
  CHECK(index.format() == "safetensors");
  REQUIRE(index.metadata().size() == 2);
  CHECK(index.metadata()[0] == file_index::metadata_pair("format", "ms"));
}

TEST_CASE("inspect: bytes in memory") {
  const std::vector<std::byte> bytes = save_bytes(weights, options);
  const file_index index = inspect(bytes);
  CHECK(index.label() == "<memory>");
  CHECK(index.size() == 4);
}

TEST_CASE("inspect: the index stands on its own") {
  const file_index index = [] {
    const scratch::directory here;
    save(weights, here / "model", options);
    return inspect(here / "model.ckpt");
  }();
  CHECK(index.find("note")->text() == "d\u00eda");
}

TEST_CASE("inspect: passes over data, however much there is") {
  // A file of 32 GiB that takes no room: one tensor, of which nothing but the header was ever written.
  constexpr std::uint64_t size = std::uint64_t{32} << 30;
  const scratch::directory here;
  using namespace ckpt_file;
  const std::string inner =
      dims({static_cast<std::int64_t>(size)}) + bytes(2, "Int8") + varint(3U << 3U | 2U) + varint(size);
  const std::string outer = bytes(1, "big") + varint(2U << 3U | 2U) + varint(inner.size() + size) + inner;
  const std::string header = varint(1U << 3U | 2U) + varint(outer.size() + size) + outer;
  scratch::put(here / "big.ckpt", header);
  if (::truncate((here / "big.ckpt").c_str(), static_cast<off_t>(header.size() + size)) != 0) {
    MESSAGE("the file system here has no files of 32 GiB");
    return;
  }
  const file_index index = inspect(here / "big.ckpt");
  REQUIRE(index.size() == 1);
  CHECK(index[0].size_bytes() == size);
  CHECK(index[0].extents()[0].offset == header.size());
}

TEST_CASE("inspect refuses: what load refuses, with the path") {
  const scratch::directory here;
  const std::string path = here / "cut.ckpt";
  scratch::put(path, ckpt_file::int8("a", "12").substr(0, 18));
  CHECK(scratch::message_of<format_error>([&] { (void)inspect(path); }) ==
        path + ": field 1 says it has 17 bytes where 16 are left: it was cut short or damaged, at byte 0");
  CHECK(scratch::message_of<io_error>([&] { (void)inspect(here / "none.ckpt"); }) ==
        here / "none.ckpt" + ": cannot open: No such file or directory");
  CHECK(scratch::message_of<io_error>([&] { (void)inspect(here.path()); }) ==
        here.path() + ": cannot open: Is a directory");
}
