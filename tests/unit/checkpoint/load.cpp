#include <ckpt/checkpoint/load.hpp>

#include <doctest/doctest.h>

#include <map>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include <ckpt/checkpoint/save.hpp>
#include <ckpt/format/safetensors.hpp>

#include <unistd.h>

#include "../format/ckpt_file.hpp"
#include "../io/scratch.hpp"

using namespace ckpt;
using scratch::message_of;

namespace {

using object = std::vector<std::pair<std::string, std::variant<tensor, std::string>>>;

load_options by_copy() { return {.read = read::copy}; }

object sample() {
  return {{"conv.weight", tensor({2, 2}, {1.0F, 2.0F, 3.0F, 4.0F})},
          {"note", "d\u00eda"},
          {"conv.bias", tensor({3}, {std::int8_t{1}, std::int8_t{2}, std::int8_t{3}})},
          {"fc", tensor({2}, {5.0, 6.0})}};
}

/// Everything there is to see of a state_dict.
std::string seen(const state_dict& dict) {
  std::string out(dict.format());
  for (const auto& [name, v] : dict) {
    out.append("; ").append(name).append(" ");
    if (v.kind() == entry_kind::string) {
      out.append("\"").append(v.text()).append("\"");
      continue;
    }
    out += v.kind() == entry_kind::map ? "map" : std::string(ckpt::name(v.type())) + to_string(v.shape());
    for (std::size_t piece = 0; piece < v.piece_count(); ++piece) out.append(" ").append(support::hex(v.piece(piece)));
  }
  return out;
}

/// A file of these bytes, loaded in all ways there are: by mapping, by reading, from memory and from a copy of it.
/// They must agree.
std::string loaded(std::string_view bytes) {
  const scratch::directory here;
  scratch::put(here / "f", bytes);
  const std::string result = seen(load(here / "f"));
  CHECK(seen(load(here / "f", by_copy())) == result);
  CHECK(seen(load(support::bytes(bytes))) == result);
  CHECK(seen(load(support::bytes(bytes), by_copy())) == result);
  const std::span<const std::byte> span = support::bytes(bytes);
  CHECK(seen(load(std::vector<std::byte>(span.begin(), span.end()))) == result);
  CHECK(seen(load(std::vector<std::byte>(span.begin(), span.end()), by_copy())) == result);
  return result;
}

template <class Format>
std::string round_trip(const object& given) {
  return loaded(support::text(save_bytes<Format>(given)));
}

bool is_aligned(std::span<const std::byte> bytes) { return reinterpret_cast<std::uintptr_t>(bytes.data()) % 64 == 0; }

}  // namespace

TEST_CASE("load: a ckpt file, in its order") {
  CHECK(round_trip<mindspore>(sample()) ==
        "ckpt; conv.weight float32[2,2] 0000803f000000400000404000008040; note \"d\u00eda\"; "
        "conv.bias int8[3] 010203; fc float64[2] 00000000000014400000000000001840");
}

TEST_CASE("load: a safetensors file, in its order") {
  CHECK(round_trip<safetensors>(sample()) ==
        "safetensors; fc float64[2] 00000000000014400000000000001840; "
        "conv.weight float32[2,2] 0000803f000000400000404000008040; conv.bias int8[3] 010203; note \"d\u00eda\"");
}

TEST_CASE("load: whatever the file is called") {
  const scratch::directory here;
  const std::vector<std::byte> bytes = save_bytes<safetensors>(sample());
  scratch::put(here / "weights.bin", support::text(bytes));
  CHECK(load(here / "weights.bin").format() == "safetensors");
}

// What gets lost elsewhere.

TEST_CASE("load: empty and 0-d tensors, in each format") {
  const object given{{"none", tensor(dtype::float32, {0})},
                     {"no rows", tensor(dtype::float32, {0, 3})},
                     {"no columns", tensor(dtype::float32, {3, 0})},
                     {"scalar", tensor(shape{}, {1.0F})}};
  const std::string all =
      "none float32[0] ; no rows float32[0,3] ; no columns float32[3,0] ; scalar float32[] 0000803f";
  CHECK(round_trip<mindspore>(given) == "ckpt; " + all);
  CHECK(round_trip<safetensors>(given) ==
        "safetensors; no columns float32[3,0] ; no rows float32[0,3] ; none float32[0] ; scalar float32[] 0000803f");
}

TEST_CASE("load: nothing but an empty tensor, in each format") {
  const object given{{"none", tensor(dtype::int8, {0})}};
  CHECK(round_trip<mindspore>(given) == "ckpt; none int8[0] ");
  CHECK(round_trip<safetensors>(given) == "safetensors; none int8[0] ");
}

TEST_CASE("load: the empty string, in each format") {
  CHECK(round_trip<mindspore>({{"s", ""}}) == "ckpt; s \"\"");
  CHECK(round_trip<safetensors>({{"s", ""}}) == "safetensors; s \"\"");
}

TEST_CASE("load: the empty name, of a tensor and of a string, in each format") {
  const tensor one({1}, {std::uint8_t{1}});
  CHECK(round_trip<mindspore>({{"", one}}) == "ckpt;  uint8[1] 01");
  CHECK(round_trip<safetensors>({{"", one}}) == "safetensors;  uint8[1] 01");
  CHECK(round_trip<mindspore>({{"", "text"}}) == "ckpt;  \"text\"");
  CHECK(round_trip<safetensors>({{"", "text"}}) == "safetensors;  \"text\"");
}

TEST_CASE("load: nothing at all, in each format") {
  CHECK(round_trip<mindspore>({}) == "ckpt");
  CHECK(round_trip<safetensors>({}) == "safetensors");
}

// Where the data lies.

TEST_CASE("load: from memory without a copy") {
  const std::vector<std::byte> bytes = save_bytes(sample());
  const state_dict dict = load(std::span<const std::byte>(bytes));
  const std::byte* const at = dict["conv.bias"].bytes().data();
  CHECK(at >= bytes.data());
  CHECK(at < bytes.data() + bytes.size());
}

TEST_CASE("load: bytes that are given away are kept, not copied") {
  std::vector<std::byte> bytes = save_bytes(sample());
  const std::byte* const first = bytes.data();
  const std::size_t size = bytes.size();
  const state_dict dict = load(std::move(bytes));
  const std::byte* const at = dict["conv.bias"].bytes().data();
  CHECK(at >= first);
  CHECK(at < first + size);
  CHECK(load(save_bytes(sample())).size() == 4);
  const state_dict of_nothing = load(save_bytes(object{}));
  CHECK(of_nothing.empty());
}

TEST_CASE("load: read::copy has memory of its own") {
  std::vector<std::byte> bytes = save_bytes(sample());
  const state_dict dict = load(std::span<const std::byte>(bytes), by_copy());
  const std::string before = seen(dict);
  for (std::byte& byte : bytes) byte = std::byte{0xee};
  bytes.clear();
  bytes.shrink_to_fit();
  CHECK(seen(dict) == before);
}

TEST_CASE("load: read::copy aligns every tensor to 64 bytes") {
  object given;
  for (int i = 0; i < 30; ++i) given.emplace_back(std::to_string(i), tensor(dtype::uint8, {i}));
  for (const std::vector<std::byte>& bytes : {save_bytes(given), save_bytes<safetensors>(given)}) {
    const state_dict dict = load(bytes, by_copy());
    std::size_t misaligned = 0;
    for (const auto& [name, v] : dict) misaligned += v.size_bytes() == 0 || is_aligned(v.bytes()) ? 0u : 1u;
    CHECK(misaligned == 0);
  }
}

TEST_CASE("load: a mapped file that was saved with .align = 64 is aligned too") {
  const scratch::directory here;
  save(sample(), here / "a", {.align = 64, .durability = durability::none});
  const state_dict dict = load(here / "a.ckpt");
  CHECK(is_aligned(dict["conv.weight"].bytes()));
  CHECK(dict["conv.weight"].as<float>()[3] == 4.0F);
  CHECK(dict["fc"].as<double>()[1] == 6.0);
}

TEST_CASE("load: chunks are views one by one, or one piece with read::copy") {
  const auto chunk = [](std::string_view content) {
    return ckpt_file::value("w", ckpt_file::tensor({2, 2}, "Int16", content));
  };
  const std::string file = chunk("abc") + chunk("d") + chunk("efgh");
  const state_dict mapped = load(support::bytes(file));
  CHECK(seen(mapped) == "ckpt; w int16[2,2] 616263 64 65666768");
  CHECK(mapped["w"].to_vector<std::int16_t>()[3] == 0x6867);
  const state_dict copied = load(support::bytes(file), by_copy());
  CHECK(seen(copied) == "ckpt; w int16[2,2] 6162636465666768");
  CHECK(copied["w"].as<std::int16_t>()[0] == 0x6261);
}

TEST_CASE("load: the slices of a map stay apart") {
  using namespace ckpt_file;
  const std::string file = map("m", map_of({"1", "2", "3"})) + map("m", map_of({"", "", ""}));
  const std::string expected =
      "ckpt; m map " + support::hex(map_of({"1", "2", "3"})) + " " + support::hex(map_of({"", "", ""}));
  CHECK(loaded(file) == expected);
}

TEST_CASE("load: a file that is replaced or deleted meanwhile stays as it was") {
  const scratch::directory here;
  save(sample(), here / "a", {.durability = durability::none});
  const state_dict dict = load(here / "a.ckpt");
  const std::string before = seen(dict);
  save(object{{"other", "text"}}, here / "a", {.durability = durability::none});
  CHECK(seen(dict) == before);
  CHECK(::unlink((here / "a.ckpt").c_str()) == 0);
  CHECK(seen(dict) == before);
}

// Options.

TEST_CASE("load: only what choose accepts, in each way of reading") {
  const scratch::directory here;
  save(sample(), here / "a", {.durability = durability::none});
  std::string asked;
  const load_options options{.choose = [&](std::string_view name) {
    asked.append(name).append(" ");
    return name == "note" || name == "fc";
  }};
  const std::string expected = "ckpt; note \"d\u00eda\"; fc float64[2] 00000000000014400000000000001840";
  CHECK(seen(load(here / "a.ckpt", options)) == expected);
  CHECK(asked == "conv.weight note conv.bias fc ");
  load_options copy = options;
  copy.read = read::copy;
  CHECK(seen(load(here / "a.ckpt", copy)) == expected);
  CHECK(load(here / "a.ckpt", {.choose = [](std::string_view) { return false; }}).empty());
}

TEST_CASE("load: progress of read::copy starts at 0, grows and ends with the total") {
  const scratch::directory here;
  const object given{{"a", tensor(dtype::uint8, {70 << 20})}, {"b", tensor(dtype::uint8, {5})}, {"c", "text"}};
  save(given, here / "a", {.durability = durability::none});
  std::vector<progress> calls;
  load_options options = by_copy();
  options.progress = [&](progress p) { calls.push_back(p); };
  CHECK(load(here / "a.ckpt", options).size() == 3);
  REQUIRE(calls.size() >= 3);
  CHECK(calls.front().done == 0);
  CHECK(calls.back().done == (70 << 20) + 5);
  bool grows = true;
  for (std::size_t i = 0; i < calls.size(); ++i)
    grows = grows && calls[i].total == (70 << 20) + 5 && (i == 0 || calls[i].done > calls[i - 1].done);
  CHECK(grows);
}

TEST_CASE("load: progress of many small tensors is not reported for each") {
  object given;
  for (int i = 0; i < 40; ++i) given.emplace_back(std::to_string(i), tensor(dtype::uint8, {1 << 20}));
  const std::vector<std::byte> bytes = save_bytes(given);
  std::vector<std::uint64_t> done;
  load_options options = by_copy();
  options.progress = [&](progress p) { done.push_back(p.done); };
  CHECK(load(std::span<const std::byte>(bytes), options).size() == 40);
  CHECK(done == std::vector<std::uint64_t>{0, 8 << 20, 16 << 20, 24 << 20, 32 << 20, 40 << 20});
}

TEST_CASE("load: progress counts what is chosen, and is not called by read::map") {
  const std::vector<std::byte> bytes = save_bytes(sample());
  std::vector<progress> calls;
  load_options options{.choose = [](std::string_view name) { return name == "fc"; },
                       .progress = [&](progress p) { calls.push_back(p); }};
  CHECK(load(std::span<const std::byte>(bytes), options).size() == 1);
  CHECK(calls.empty());
  options.read = read::copy;
  CHECK(load(std::span<const std::byte>(bytes), options).size() == 1);
  REQUIRE(!calls.empty());
  CHECK(calls.back().total == 16);
  CHECK(calls.back().done == 16);
}

TEST_CASE("load: what callbacks throw comes through") {
  const std::vector<std::byte> bytes = save_bytes(sample());
  load_options options = by_copy();
  options.progress = [](progress) { throw std::runtime_error("stop"); };
  CHECK(message_of<std::runtime_error>([&] { (void)load(std::span<const std::byte>(bytes), options); }) == "stop");
  options = {.choose = [](std::string_view) -> bool { throw std::runtime_error("no"); }};
  CHECK(message_of<std::runtime_error>([&] { (void)load(std::span<const std::byte>(bytes), options); }) == "no");
}

// Errors.

TEST_CASE("load refuses: a file that is not there, and a directory, in each way of reading") {
  const scratch::directory here;
  for (const load_options& options : {load_options{}, by_copy()}) {
    CHECK(message_of<io_error>([&] { (void)load(here / "none.ckpt", options); }) ==
          here / "none.ckpt" + ": cannot open: No such file or directory");
    CHECK(message_of<io_error>([&] { (void)load(here.path(), options); }) ==
          here.path() + ": cannot open: Is a directory");
  }
}

TEST_CASE("load refuses: a file that is cut short, naming it and the byte") {
  const scratch::directory here;
  const std::string whole = support::text(save_bytes(sample()));
  scratch::put(here / "cut.ckpt", whole.substr(0, whole.size() - 1));
  for (const load_options& options : {load_options{}, by_copy()}) {
    const auto e = scratch::error_of<format_error>([&] { (void)load(here / "cut.ckpt", options); });
    CHECK(std::string(e.what()) ==
          here / "cut.ckpt" +
              ": field 1 says it has 35 bytes where 34 are left: it was cut short or damaged, at byte " +
              std::to_string(whole.size() - 37));
    CHECK(e.code() == errc::truncated);
    CHECK(e.path() == here / "cut.ckpt");
  }
}

TEST_CASE("load refuses: bytes that are no checkpoint") {
  CHECK(message_of<format_error>([] { (void)load(support::bytes("hello, world")); }).starts_with("<memory>: "));
}
