// Against files written by MindSpore 2.10.0 and safetensors 0.8.0; README.md beside this says what each holds.
// Of every file: what we save is the same bytes, what we load is what was saved, and what was loaded is saved as the
// same bytes again.

#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <ckpt/checkpoint/verify_checksum.hpp>
#include <ckpt/checksum/crc32.hpp>
#include <ckpt/ckpt.hpp>

namespace {

using bytes = std::vector<std::byte>;
using value = std::variant<ckpt::tensor, std::string>;
using values = std::vector<std::pair<std::string, value>>;

std::string path_of(const std::string& file) { return std::string(CKPT_GOLDEN_FILES) + "/" + file; }

bytes content_of(const std::string& file) {
  std::ifstream in(path_of(file), std::ios::binary);
  REQUIRE_MESSAGE(in.good(), file);
  bytes content;
  for (std::istreambuf_iterator<char> byte(in), end; byte != end; ++byte)
    content.push_back(static_cast<std::byte>(*byte));
  return content;
}

// The same function is in make_golden.py.
ckpt::tensor filled(std::string_view name, ckpt::dtype type, ckpt::shape shape) {
  ckpt::tensor result(type, std::move(shape));
  unsigned start = 3;
  for (const char c : name) start += static_cast<unsigned char>(c);
  unsigned position = 0;
  for (std::byte& byte : result.bytes()) {
    const unsigned number = (7 * position++ + start) % 251;
    byte = static_cast<std::byte>(type == ckpt::dtype::boolean ? number % 2 : number);
  }
  return result;
}

struct row {
  std::string name;
  ckpt::dtype type;
  ckpt::shape shape;
};

values filled(std::initializer_list<row> rows) {
  values result;
  for (const row& r : rows) result.emplace_back(r.name, filled(r.name, r.type, r.shape));
  return result;
}

template <class T>
ckpt::tensor scalar(T number) {
  return ckpt::tensor(ckpt::shape{}, {number});
}

void check_same(std::span<const std::byte> ours, std::span<const std::byte> theirs) {
  std::size_t same = 0;
  while (same < ours.size() && same < theirs.size() && ours[same] == theirs[same]) ++same;
  CHECK_MESSAGE((same == ours.size() && same == theirs.size()),
                ours.size() << " bytes of ours, " << theirs.size() << " of theirs, alike up to byte " << same);
}

void check_holds(const ckpt::state_dict& found, const values& wanted) {
  CHECK(found.size() == wanted.size());
  for (const auto& [name, wanted_value] : wanted) {
    CAPTURE(name);
    REQUIRE(found.contains(name));
    const ckpt::state_value entry = found[name];
    if (const std::string* text = std::get_if<std::string>(&wanted_value)) {
      CHECK(entry.kind() == ckpt::entry_kind::string);
      CHECK(entry.text() == *text);
      continue;
    }
    const ckpt::tensor& tensor = std::get<ckpt::tensor>(wanted_value);
    CHECK(entry.kind() == ckpt::entry_kind::tensor);
    CHECK(entry.type() == tensor.type());
    CHECK(ckpt::to_string(entry.shape()) == ckpt::to_string(tensor.shape()));
    bytes copy(entry.size_bytes());
    entry.copy_to(copy);
    check_same(copy, tensor.bytes());
  }
}

// In all three ways to load.
void check_loads(const std::string& file, const values& wanted) {
  const bytes content = content_of(file);
  SUBCASE("mapped") { check_holds(ckpt::load(path_of(file)), wanted); }
  SUBCASE("copied") { check_holds(ckpt::load(path_of(file), {.read = ckpt::read::copy}), wanted); }
  SUBCASE("from memory") { check_holds(ckpt::load(content), wanted); }
}

void check_order(const std::string& file, const values& wanted) {
  const ckpt::state_dict found = ckpt::load(path_of(file));
  auto expected = wanted.begin();
  for (const auto& [name, entry] : found) CHECK(name == (expected++)->first);
}

template <class Format>
void check_both_ways(const std::string& file, const values& object, const ckpt::save_options& options = {}) {
  CAPTURE(file);
  SUBCASE("saved") { check_same(ckpt::save_bytes<Format>(object, options), content_of(file)); }
  SUBCASE("loaded and saved again") {
    const ckpt::state_dict loaded = ckpt::load(path_of(file));
    check_same(ckpt::save_bytes<Format>(loaded, {.metadata = options.metadata}), content_of(file));
  }
  check_loads(file, object);
}

void check_ckpt(const std::string& file, const values& object) {
  check_both_ways<ckpt::mindspore>(file, object);
  SUBCASE("in order") { check_order(file, object); }
}

values each_dtype(ckpt::shape shape, std::initializer_list<ckpt::dtype> types) {
  values result;
  for (const ckpt::dtype type : types) {
    const std::string name(ckpt::name(type));
    result.emplace_back(name, filled(name, type, shape));
  }
  return result;
}

using enum ckpt::dtype;

values mindspore_dtypes(ckpt::shape shape) {
  return each_dtype(std::move(shape), {boolean, int8, uint8, int16, uint16, int32, uint32, int64, uint64, float16,
                                       bfloat16, float32, float64, int4, complex64, complex128});
}

std::string repeated(std::string_view text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

// As nn.Cell: nested cells, each naming its own members.
struct layer {
  std::vector<std::pair<std::string, ckpt::shape>> members;
  std::string prefix;

  template <class Visitor>
  void visit_parameters(Visitor& visitor) const {
    for (const auto& [name, shape] : members) visitor(name, filled(prefix + "." + name, float32, shape));
  }
};

struct lenet {
  layer conv1{{{"weight", {2, 1, 5, 5}}}, "conv1"};
  layer conv2{{{"weight", {3, 2, 5, 5}}, {"bias", {3}}}, "conv2"};
  layer norm{{{"moving_mean", {3}}, {"moving_variance", {3}}, {"gamma", {3}}, {"beta", {3}}}, "norm"};
  layer fc1{{{"weight", {40, 48}}, {"bias", {40}}}, "fc1"};
  layer fc2{{{"weight", {20, 40}}, {"bias", {20}}}, "fc2"};
  layer fc3{{{"weight", {10, 20}}, {"bias", {10}}}, "fc3"};

  template <class Visitor>
  void visit_parameters(Visitor& visitor) const {
    visitor("conv1", conv1);
    visitor("conv2", conv2);
    visitor("norm", norm);
    visitor("fc1", fc1);
    visitor("fc2", fc2);
    visitor("fc3", fc3);
  }

  [[nodiscard]] values parameters() const {
    values result;
    for (const layer* part : {&conv1, &conv2, &norm, &fc1, &fc2, &fc3})
      for (const auto& [name, shape] : part->members) {
        const std::string full = part->prefix + "." + name;
        result.emplace_back(full, filled(full, float32, shape));
      }
    return result;
  }
};

void check_chunks(const std::string& file) {
  const values wanted =
      filled({{"first", int32, {5, 120}}, {"small", int8, {3}}, {"second", float16, {1025}}, {"exact", uint8, {1024}}});
  check_loads(file, wanted);
  SUBCASE("in pieces") {
    const ckpt::state_dict loaded = ckpt::load(path_of(file));
    CHECK(loaded["first"].piece_count() == 3);
    CHECK(loaded["exact"].piece_count() == 1);
    CHECK_THROWS_AS((void)loaded["first"].bytes(), ckpt::mismatch_error);
    CHECK(loaded["first"].to_vector<std::int32_t>().size() == 600);
  }
  SUBCASE("saved again in one piece") {
    check_same(ckpt::save_bytes(ckpt::load(path_of(file))), ckpt::save_bytes(wanted));
  }
}

}  // namespace

TEST_CASE("every dtype that MindSpore writes") { check_ckpt("dtypes.ckpt", mindspore_dtypes({2, 3})); }

TEST_CASE("0-d tensors of every dtype") { check_ckpt("scalars.ckpt", mindspore_dtypes({})); }

TEST_CASE("shapes, and lengths that take more bytes to write") {
  check_ckpt("shapes.ckpt", filled({{"scalar", int8, {}},
                                    {"one", int8, {1}},
                                    {"vector", int8, {3}},
                                    {"matrix", int8, {2, 3}},
                                    {"image", int8, {2, 3, 4}},
                                    {"eight", int8, {1, 2, 1, 1, 2, 1, 1, 2}},
                                    {"content127", int8, {127}},
                                    {"content128", int8, {128}},
                                    {"two_byte_dims", int8, {128, 2}},
                                    {"three_byte_dims", int8, {16384}}}));
}

TEST_CASE("names") {
  values wanted;
  for (const std::string& name :
       {std::string(), std::string("a"), std::string(" blanks around "), std::string("with/slash.and.dots"),
        std::string("día"), std::string("重み"), std::string("😀"), std::string("quote\"back\\slash"),
        std::string("line\nfeed"), std::string(127, 'x'), std::string(128, 'x'), repeated("é", 1024)})
    wanted.emplace_back(name, filled(name, uint8, {2}));
  check_ckpt("names.ckpt", wanted);
}

TEST_CASE("empty tensors, as MindSpore's asynchronous way writes them") {
  check_ckpt(
      "empty.ckpt",
      filled({{"rows", float32, {0, 3}}, {"columns", int64, {3, 0}}, {"flat", int8, {0}}, {"last", boolean, {2}}}));
}

TEST_CASE("nothing") { check_ckpt("nothing.ckpt", {}); }

TEST_CASE("strings in a dict") {
  values given{
      {"empty", std::string()},       {"text", std::string("text")},        {"accent", std::string("día")},
      {"emoji", std::string("a😀b")}, {"zero", std::string("a\0b", 3)},     {"trailing", std::string("ab\0", 3)},
      {"blanks", std::string(" a ")}, {"long", repeated("0123456789", 20)}, {"tensor", filled("tensor", int16, {2})}};
  SUBCASE("saved") { check_same(ckpt::save_bytes(given), content_of("strings.ckpt")); }
  given[5].second = std::string("ab");  // trailing zeros are not part of a string
  check_loads("strings.ckpt", given);
  SUBCASE("in order") { check_order("strings.ckpt", given); }
}

TEST_CASE("appended values") {
  const values weight = filled({{"weight", float32, {2}}});
  const ckpt::tensor mask = filled("mask", uint8, {2, 2});
  constexpr std::uint64_t two_to_63 = std::uint64_t{1} << 63;
  SUBCASE("saved") {
    const bytes ours = ckpt::save_bytes(weight, {.append = {{"epoch", 3},
                                                            {"minus", -3},
                                                            {"most", std::numeric_limits<std::int64_t>::max()},
                                                            {"least", std::numeric_limits<std::int64_t>::min()},
                                                            {"unsigned", two_to_63},
                                                            {"all_bits", std::numeric_limits<std::uint64_t>::max()},
                                                            {"rate", 0.1},
                                                            {"infinite", std::numeric_limits<float>::infinity()},
                                                            {"yes", true},
                                                            {"no", false},
                                                            {"note", "día"},
                                                            {"empty", ""},
                                                            {"mask", mask}}});
    check_same(ours, content_of("appended.ckpt"));
  }
  check_ckpt("appended.ckpt", {weight[0],
                               {"epoch", scalar<std::int64_t>(3)},
                               {"minus", scalar<std::int64_t>(-3)},
                               {"most", scalar(std::numeric_limits<std::int64_t>::max())},
                               {"least", scalar(std::numeric_limits<std::int64_t>::min())},
                               {"unsigned", scalar(two_to_63)},
                               {"all_bits", scalar(std::numeric_limits<std::uint64_t>::max())},
                               {"rate", scalar(0.1F)},
                               {"infinite", scalar(std::numeric_limits<float>::infinity())},
                               {"yes", scalar(true)},
                               {"no", scalar(false)},
                               {"note", std::string("día")},
                               {"empty", std::string()},
                               {"mask", mask}});
}

TEST_CASE("names given twice") {
  values given =
      filled({{"twice", int8, {2}}, {"once", int8, {1}}, {"twice", int32, {2, 1}}, {"replaced", float32, {1}}});
  SUBCASE("saved") {
    check_same(ckpt::save_bytes(given, {.append = {{"replaced", 7}, {"twice ", "other"}},
                                        .duplicates = ckpt::duplicates::keep_last}),
               content_of("duplicates.ckpt"));
  }
  check_ckpt("duplicates.ckpt",
             {given[2], given[1], {"replaced", scalar<std::int64_t>(7)}, {"twice ", std::string("other")}});
}

TEST_CASE("a cell") {
  const lenet net;
  SUBCASE("saved as a cell") { check_same(ckpt::save_bytes(net), content_of("lenet.ckpt")); }
  SUBCASE("and as safetensors") {
    check_same(ckpt::save_bytes<ckpt::safetensors>(net), content_of("lenet.safetensors"));
  }
  SUBCASE("as ckpt") { check_ckpt("lenet.ckpt", net.parameters()); }
  SUBCASE("as safetensors") { check_both_ways<ckpt::safetensors>("lenet.safetensors", net.parameters()); }
  SUBCASE("converted") {
    const ckpt::state_dict loaded = ckpt::load(path_of("lenet.ckpt"));
    check_same(ckpt::save_bytes<ckpt::safetensors>(loaded), content_of("lenet.safetensors"));
  }
}

TEST_CASE("tensors in chunks") {
  SUBCASE("cut by bytes") { check_chunks("chunks.ckpt"); }
  SUBCASE("cut along axis 0") { check_chunks("chunks_async.ckpt"); }
}

TEST_CASE("map parameters") {
  SUBCASE("loaded and saved again") {
    const ckpt::state_dict loaded = ckpt::load(path_of("maps.ckpt"));
    check_same(ckpt::save_bytes(loaded), content_of("maps.ckpt"));
  }
  SUBCASE("copied and saved again") {
    const ckpt::state_dict loaded = ckpt::load(path_of("maps.ckpt"), {.read = ckpt::read::copy});
    check_same(ckpt::save_bytes(loaded), content_of("maps.ckpt"));
  }
  SUBCASE("what is in it") {
    const ckpt::state_dict loaded = ckpt::load(path_of("maps.ckpt"));
    REQUIRE(loaded.size() == 5);
    for (const std::string_view name : {"one", "two", "none"}) CHECK(loaded[name].kind() == ckpt::entry_kind::map);
    CHECK(loaded["one"].piece_count() == 1);
    CHECK(loaded["two"].piece_count() == 2);
    const ckpt::tensor before = filled("before", int8, {2});
    const ckpt::tensor after = filled("after", int64, {});
    check_same(loaded["before"].bytes(), before.bytes());
    check_same(loaded["after"].bytes(), after.bytes());
  }
}

TEST_CASE("every dtype that the safetensors crate writes") {
  check_both_ways<ckpt::safetensors>(
      "dtypes.safetensors",
      each_dtype({2, 4}, {boolean,         float4_e2m1,     uint8,     int8,    float8_e5m2, float8_e4m3, float8_e8m0,
                          float8_e4m3fnuz, float8_e5m2fnuz, int16,     uint16,  float16,     bfloat16,    int32,
                          uint32,          float32,         complex64, float64, int64,       uint64}));
}

TEST_CASE("safetensors of 6 bits") {
  check_both_ways<ckpt::safetensors>("six_bits.safetensors", each_dtype({2, 4}, {float6_e2m3, float6_e3m2}));
}

TEST_CASE("0-d safetensors") {
  check_both_ways<ckpt::safetensors>(
      "scalars.safetensors",
      each_dtype({}, {boolean, uint8, int8, float8_e5m2, float8_e4m3, float8_e8m0, float8_e4m3fnuz, float8_e5m2fnuz,
                      int16, uint16, float16, bfloat16, int32, uint32, float32, complex64, float64, int64, uint64}));
}

TEST_CASE("empty safetensors") {
  check_both_ways<ckpt::safetensors>("empty.safetensors", filled({{"rows", float32, {0, 3}},
                                                                  {"columns", int64, {3, 0}},
                                                                  {"flat", int8, {0}},
                                                                  {"between", float32, {2}},
                                                                  {"last", boolean, {2}}}));
}

TEST_CASE("a safetensors file of nothing") {
  SUBCASE("at all") { check_both_ways<ckpt::safetensors>("nothing.safetensors", {}); }
  SUBCASE("but metadata") {
    check_both_ways<ckpt::safetensors>("nothing_format.safetensors", {}, {.metadata = {{"format", "ms"}}});
  }
}

TEST_CASE("the order of a safetensors file") {
  check_both_ways<ckpt::safetensors>("order.safetensors", filled({{"b", int8, {1}},
                                                                  {"a", uint64, {1}},
                                                                  {"B", int8, {2}},
                                                                  {"aa", float32, {2}},
                                                                  {"é", int8, {1}},
                                                                  {"a.10", float32, {1}},
                                                                  {"a.9", float32, {1}}}));
}

TEST_CASE("names in a safetensors file") {
  values wanted;
  for (const std::string& name :
       {std::string(), std::string("a"), std::string(" blanks "), std::string("slash/dots."), std::string("día"),
        std::string("重み"), std::string("😀"), std::string("quote\"back\\slash"), std::string("\b\f\n\r\t"),
        std::string("\0\1\x1f\x7f", 4), std::string("\u2028"), std::string(2000, 'x')})
    wanted.emplace_back(name, filled(name, uint8, {2}));
  check_both_ways<ckpt::safetensors>("names.safetensors", wanted);
}

TEST_CASE("metadata of a safetensors file") {
  const values wanted = filled({{"w", float32, {2, 2}}});
  const ckpt::metadata_pairs pairs{{"format", "ms"}, {"note", "día \"1\"\n\u0001"}, {"", "empty"}};
  SUBCASE("some") {
    check_same(ckpt::save_bytes<ckpt::safetensors>(wanted, {.metadata = pairs}), content_of("metadata.safetensors"));
    const ckpt::state_dict loaded = ckpt::load(path_of("metadata.safetensors"));
    REQUIRE(loaded.metadata().size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(loaded.metadata()[i].key == pairs[i].key);
      CHECK(loaded.metadata()[i].value == pairs[i].value);
    }
  }
  SUBCASE("none") {
    check_loads("no_metadata.safetensors", wanted);
    const ckpt::state_dict loaded = ckpt::load(path_of("no_metadata.safetensors"));
    CHECK(loaded.metadata().empty());
    const ckpt::save_options options{.format_pair = ckpt::format_pair::as_given};
    check_same(ckpt::save_bytes<ckpt::safetensors>(wanted, options), content_of("no_metadata.safetensors"));
    check_same(ckpt::save_bytes<ckpt::safetensors>(loaded, options), content_of("no_metadata.safetensors"));
  }
}

TEST_CASE("int4 in a safetensors file") {
  check_both_ways<ckpt::safetensors>("int4.safetensors", filled({{"packed", int4, {2, 3}}, {"plain", int8, {2}}}));
}

namespace {

template <class Format>
void check_checksum(const std::string& file, const values& given, const ckpt::save_options& options) {
  const bytes content = content_of(file);
  SUBCASE("saved") { check_same(ckpt::save_bytes<Format, ckpt::crc32>(given, options), content); }
  SUBCASE("verified") {
    const ckpt::memory_source from(content);
    ckpt::verify_checksum<ckpt::crc32>(from, ckpt::read_index(from), false);
  }
  SUBCASE("loaded and saved again") {
    const ckpt::state_dict loaded = ckpt::load(path_of(file));
    CHECK(loaded.has_checksum());
    check_same(ckpt::save_bytes<Format, ckpt::crc32>(loaded), content);
  }
}

}  // namespace

TEST_CASE("a ckpt file with a CRC-32") {
  check_checksum<ckpt::mindspore>("crc.ckpt", filled({{"b", float32, {2, 3}}, {"a", int8, {5}}}),
                                  {.append = {{"epoch", 3}}});
}

TEST_CASE("a safetensors file with a CRC-32") {
  values given = filled({{"b", float32, {2, 3}}, {"a", int8, {5}}, {"c", float64, {1}}});
  given.emplace_back("step", scalar<std::int64_t>(7));
  check_checksum<ckpt::safetensors>("crc.safetensors", given, {});
}
