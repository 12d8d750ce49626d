#include <ckpt/format/safetensors_writer.hpp>

#include <doctest/doctest.h>

#include <array>
#include <limits>
#include <string>
#include <vector>

#include <ckpt/model/metadata_pairs.hpp>

using namespace ckpt;

namespace {

using metadata = metadata_pairs;

const std::array<std::byte, 256> bytes = [] {
  std::array<std::byte, 256> values{};
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::byte>(i);
  return values;
}();

tensor_view view(dtype type, shape extents) {
  const auto size = static_cast<std::size_t>(*content_size(type, extents));
  return {type, std::move(extents), std::span(bytes).first(size)};
}

entries nothing() { return {"f", duplicates::refuse, {}}; }

entries one(std::string_view name, dtype type, shape extents) {
  entries all = nothing();
  all.add_tensor(name, view(type, std::move(extents)));
  return all;
}

std::string written(const entries& given, const format_options& options = {}) {
  const plan made = safetensors_writer(given, options).make_plan();
  std::string file;
  for (const segment& part : made.segments()) {
    const std::size_t before = file.size();
    file.resize(before + static_cast<std::size_t>(part.size()));
    part.copy_to(0, std::as_writable_bytes(std::span(file).subspan(before)));
  }
  CHECK(file.size() == made.size());
  return file;
}

// The header, with its padding; checks that the length before it and the alignment are right.
std::string header(const entries& given, const format_options& options = {}) {
  const std::string file = written(given, options);
  REQUIRE(file.size() >= 8);
  const auto size = load_le<std::uint64_t>(std::as_bytes(std::span(file)).data());
  CHECK((8 + size) % std::max<std::uint64_t>(options.align, 8) == 0);
  return file.substr(8, static_cast<std::size_t>(size));
}

std::string trimmed(std::string text) {
  text.resize(text.find_last_not_of(' ') + 1);
  return text;
}

std::string error_of(const entries& given, const format_options& options = {}) {
  try {
    (void)safetensors_writer(given, options).make_plan();
  } catch (const usage_error& error) {
    return error.what();
  }
  return "accepted";
}

std::string error_of(const entries& given, const metadata& pairs) {
  return error_of(given, format_options{.align = 0, .metadata = pairs});
}

}  // namespace

TEST_CASE("safetensors writer: nothing at all is {} and six spaces") {
  CHECK(written(nothing()) == std::string("\x08\0\0\0\0\0\0\0{}      ", 16));
}

TEST_CASE("safetensors writer: the bytes that the crate writes for six tensors") {
  // safetensors.numpy.save({...}, {"format": "ms"}) of version 0.8.0
  entries all = nothing();
  const std::array<float, 2> b{0, 1};
  const std::array<float, 1> upper_a{1};
  all.add_tensor("b", tensor_view(std::span<const float>(b), shape{2}));
  all.add_tensor("a", view(dtype::int8, {2, 3}));
  all.add_tensor("A", tensor_view(std::span<const float>(upper_a), shape{}));
  all.add_tensor("z", view(dtype::int64, {0, 3}));
  all.add_tensor("\xc3\xa9\"\n", tensor_view(dtype::boolean, shape{1}, std::span(bytes).subspan(1, 1)));
  all.add_tensor("", tensor_view(dtype::uint16, shape{1}, std::span(bytes).subspan(7, 2)));
  CHECK(
      written(all) ==
      std::string("\x70\x01\0\0\0\0\0\0", 8) +
          R"({"__metadata__":{"format":"ms"},"z":{"dtype":"I64","shape":[0,3],"data_offsets":[0,0]},)"
          R"("A":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]},)"
          R"("":{"dtype":"U16","shape":[1],"data_offsets":[12,14]},"a":{"dtype":"I8","shape":[2,3],"data_offsets":[14,20]},)"
          "\"\xc3\xa9\\\"\\n\":{\"dtype\":\"BOOL\",\"shape\":[1],\"data_offsets\":[20,21]}}    " +
          std::string("\0\0\x80?\0\0\0\0\0\0\x80?\x07\x08\0\1\2\3\4\5\1", 21));
}

TEST_CASE("safetensors writer: tensors stand by descending place of their dtype in the crate's list") {
  entries all = nothing();
  for (const dtype_info& row : dtype_table)
    if (!row.safetensors.empty()) all.add_tensor(row.name, view(row.type, {8}));
  std::string order;
  const std::string text = header(all);
  for (std::size_t at = text.find("\"dtype\":\""); at != std::string::npos; at = text.find("\"dtype\":\"", at + 1))
    order += text.substr(at + 9, text.find('"', at + 9) - at - 9) + ' ';
  CHECK(order ==
        "U64 I64 F64 C64 F32 U32 I32 BF16 F16 U16 I16 F8_E5M2FNUZ F8_E4M3FNUZ F8_E8M0 F8_E4M3 F8_E5M2 I8 U8 F6_E3M2 "
        "F6_E2M3 F4 BOOL ");
}

TEST_CASE("safetensors writer: tensors of one dtype stand by name, byte by byte, int4 among I8") {
  entries all = nothing();
  for (const char* name : {"layer.10", "layer.2", "layer.", "layer.1", "layer.1000000001", "layer.1000000000",
                           "layer.\xc3\xa9", "layer.Z"})
    all.add_tensor(name, view(dtype::int8, {1}));
  all.add_tensor("layer.11", view(dtype::int4, {1}));
  all.add_tensor(std::string_view("layer.1\0", 8), view(dtype::int8, {1}));
  std::string order;
  const std::string text = header(all);
  std::size_t at = text.find("},") + 1;
  for (at = text.find("\"layer", at); at != std::string::npos; at = text.find("\"layer", at + 1))
    order += text.substr(at + 7, text.find('"', at + 1) - at - 7) + ' ';
  CHECK(order == " 1 1\\u0000 10 1000000000 1000000001 11 2 Z \xc3\xa9 ");
}

TEST_CASE("safetensors writer: the data follows the header's order, strided tensors gathered") {
  entries all = nothing();
  const std::array<std::uint16_t, 4> matrix{0x3130, 0x3332, 0x3534, 0x3736};
  all.add_tensor("byte", tensor_view(dtype::uint8, shape{2}, std::span(bytes).subspan('x', 2)));
  all.add_tensor("t", tensor_view::strided(dtype::uint16, shape{2, 2}, matrix.data(), shape{1, 2}));
  CHECK(written(all).ends_with("01452367xy"));
}

TEST_CASE("safetensors writer: the header is padded to a multiple of 8, at any length") {
  for (std::size_t size = 0; size < 20; ++size) {
    const std::string text = header(one(std::string(size, 'n'), dtype::uint8, {1}));
    CHECK(text.size() % 8 == 0);
    CHECK(text.size() - trimmed(text).size() < 8);
  }
}

TEST_CASE("safetensors writer: align makes the data begin at a multiple") {
  const std::string file = written(one("w", dtype::float32, {1}), {.align = 64});
  CHECK((file.size() - 4) % 64 == 0);
  CHECK(trimmed(file.substr(8, file.size() - 12)).ends_with("\"data_offsets\":[0,4]}}"));
  CHECK(written(one("w", dtype::float32, {1}), {.align = 1}) == written(one("w", dtype::float32, {1})));
}

TEST_CASE(
    "safetensors writer: the metadata is format, the caller's pairs, markers in the order of the data, strings in "
    "theirs") {
  entries all = one("q", dtype::int4, {2});
  all.add_string("note",
                 "d\xc3\xad"
                 "a\n");
  all.add_tensor("p", view(dtype::int4, {1}));
  all.add_string("empty", "");
  const metadata pairs{{"z", "1"}, {"a", "2"}};
  CHECK(trimmed(header(all, {.metadata = pairs})) ==
        R"({"__metadata__":{"format":"ms","z":"1","a":"2","p":"Int4","q":"Int4","note":"d)"
        "\xc3\xad"
        R"(a\n","empty":""},)"
        R"("p":{"dtype":"I8","shape":[1],"data_offsets":[0,1]},"q":{"dtype":"I8","shape":[2],"data_offsets":[1,3]}})");
}

TEST_CASE("safetensors writer: the caller may say another format, which stays first") {
  const metadata pairs{{"k", "v"}, {"format", "pt"}};
  CHECK(trimmed(header(nothing(), {.metadata = pairs})) == R"({"__metadata__":{"format":"pt","k":"v"}})");
}

TEST_CASE("safetensors writer: no format but what is given, in its place") {
  const auto written_as_given = [](const entries& all, const metadata& pairs) {
    return trimmed(header(all, {.metadata = pairs, .format_pair = format_pair::as_given}));
  };
  CHECK(written_as_given(nothing(), {}) == "{}");
  CHECK(written_as_given(nothing(), {{"k", "v"}}) == R"({"__metadata__":{"k":"v"}})");
  CHECK(written_as_given(nothing(), {{"k", "v"}, {"format", "pt"}}) == R"({"__metadata__":{"k":"v","format":"pt"}})");
  CHECK(written_as_given(one("w", dtype::int8, {1}), {}) == R"({"w":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}})");
  CHECK(written_as_given(one("q", dtype::int4, {1}), {}).starts_with(R"({"__metadata__":{"q":"Int4"},"q":)"));
  entries loaded = one("w", dtype::int8, {1});
  const std::array<metadata_pair, 1> of_a_file{{{"format", "pt"}}};
  loaded.set_metadata(of_a_file);
  CHECK(written_as_given(loaded, {}).starts_with(R"({"__metadata__":{"format":"pt"},)"));
  CHECK(written_as_given(loaded, {{"k", "v"}, {"format", "np"}})
            .starts_with(R"({"__metadata__":{"format":"np","k":"v"},)"));
  CHECK(error_of(nothing(), format_options{.metadata = metadata{{"format", "a"}, {"format", "b"}},
                                           .format_pair = format_pair::as_given}) ==
        "f: the metadata key \"format\" is given twice");
}

TEST_CASE("safetensors writer: strings alone, and metadata alone, are written") {
  entries all = nothing();
  all.add_string("s", "text");
  CHECK(trimmed(header(all)) == R"({"__metadata__":{"format":"ms","s":"text"}})");
  const metadata pairs{{"k", "v"}};
  CHECK(trimmed(header(nothing(), {.metadata = pairs})) == R"({"__metadata__":{"format":"ms","k":"v"}})");
}

TEST_CASE("safetensors writer: a pair given twice with one value is written once") {
  entries all = one("q", dtype::int4, {1});
  all.add_string("s", "text");
  const metadata pairs{{"s", "text"}, {"q", "Int4"}};
  CHECK(header(all, {.metadata = pairs}).starts_with(R"({"__metadata__":{"format":"ms","s":"text","q":"Int4"},"q":)"));
}

TEST_CASE("safetensors writer: refuses the name __metadata__") {
  CHECK(error_of(one("__metadata__", dtype::int8, {1})) ==
        "f: tensor \"__metadata__\": safetensors reserves this name for itself; rename it, or save as ckpt");
  entries all = nothing();
  all.add_string("__metadata__", "x");
  CHECK(error_of(all) ==
        "f: string \"__metadata__\": safetensors reserves this name for itself; rename it, or save as ckpt");
}

TEST_CASE("safetensors writer: refuses a string under a name that is MindSpore's in the metadata") {
  for (const std::string name : {"format", "remove_redundancy", "crc_num"}) {
    entries all = nothing();
    all.add_string(name, "x");
    CHECK(error_of(all) == "f: string \"" + name +
                               "\": a safetensors file keeps strings in its metadata, where this name is MindSpore's; "
                               "rename it, or save as ckpt");
  }
}

TEST_CASE("safetensors writer: refuses an int4 tensor whose marker has no place") {
  const std::string text = "an int4 tensor is marked by its name in the metadata, where this name is taken; rename it";
  CHECK(error_of(one("format", dtype::int4, {1})) == "f: tensor \"format\": " + text);
  CHECK(error_of(one("crc_num", dtype::int4, {1})) == "f: tensor \"crc_num\": " + text);
  CHECK(error_of(one("q", dtype::int4, {1}), metadata{{"q", "v"}}) == "f: tensor \"q\": " + text);
}

TEST_CASE("safetensors writer: refuses a metadata pair that makes an int8 tensor int4") {
  CHECK(error_of(one("q", dtype::int8, {1}), metadata{{"q", "Int4"}}) ==
        "f: tensor \"q\": the metadata given marks this int8 tensor as int4; leave that pair out");
  CHECK(error_of(one("q", dtype::uint8, {1}), metadata{{"q", "Int4"}}) == "accepted");
}

TEST_CASE("safetensors writer: refuses a string where the metadata has another value") {
  entries all = nothing();
  all.add_string("s", "text");
  CHECK(error_of(all, metadata{{"s", "other"}}) ==
        "f: string \"s\": the metadata given has another value of this name; rename one of them");
}

TEST_CASE("safetensors writer: refuses a metadata key given twice") {
  CHECK(error_of(nothing(), metadata{{"k", "1"}, {"k", "1"}}) == "f: the metadata key \"k\" is given twice");
  CHECK(error_of(nothing(), metadata{{"format", "pt"}, {"format", "pt"}}) ==
        "f: the metadata key \"format\" is given twice");
}

TEST_CASE("safetensors writer: refuses what is not UTF-8") {
  CHECK(error_of(one("\xff", dtype::int8, {1})) == "f: tensor \"\xff\": the name is not UTF-8");
  entries all = nothing();
  all.add_string("s", "ab\xc3");
  CHECK(error_of(all) == "f: string \"s\": the text is not UTF-8 at its byte 2");
  CHECK(error_of(nothing(), metadata{{"ok", "ok"}, {"k", "\xff"}}) ==
        "f: the value of the metadata key \"k\" is not UTF-8");
  CHECK(error_of(nothing(), metadata{{"\xff", "v"}}) == "f: a metadata key is not UTF-8");
}

TEST_CASE("safetensors writer: refuses a dtype that the format does not have") {
  CHECK(error_of(one("c", dtype::complex128, {1})) ==
        "f: tensor \"c\": a safetensors file cannot hold complex128; save it as ckpt, or convert it first");
}

TEST_CASE("safetensors writer: refuses map parameters") {
  entries all = nothing();
  all.add_pieces("m", entry_kind::map, dtype::uint8, {}, {});
  CHECK(error_of(all) == "f: map \"m\": a safetensors file cannot hold a map parameter; save it as ckpt");
}

TEST_CASE("safetensors writer: refuses an align that is no power of two") {
  CHECK(error_of(nothing(), format_options{.align = 24}) == "f: align is 24, which is no power of two");
}

TEST_CASE("safetensors writer: refuses a header over the limit, and takes one that just fits") {
  const std::string around = R"({"":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"__metadata__":{"format":"ms"}})";
  const std::string name(100'000'000 - around.size(), 'n');
  CHECK(header(one(name, dtype::uint8, {1})).size() == 100'000'000);
  std::string message = error_of(one(name + 'n', dtype::uint8, {1}));
  CHECK(message ==
        "f: the header of a safetensors file takes at most 100000000 bytes; this one would take 100000008: save as "
        "ckpt, or in several files");
}

TEST_CASE("safetensors writer: a tensor whose name is that of a pair, which MindSpore would take for its type") {
  const std::string text =
      "the metadata has a pair of this name, which MindSpore would take for the tensor's type, and not load the file; "
      "rename one of them, or save as ckpt";
  // Refused where the file is said to be MindSpore's.
  CHECK(error_of(one("format", dtype::int8, {1}), metadata{{"format", "ms"}}) == "f: tensor \"format\": " + text);
  CHECK(error_of(one("w", dtype::int8, {1}), metadata{{"w", "a remark"}, {"format", "ms"}}) ==
        "f: tensor \"w\": " + text);
  CHECK(error_of(one("crc_num", dtype::int8, {1}), format_options{.checksum = true}) ==
        "f: tensor \"crc_num\": " + text);
  // Else nothing says so.
  CHECK(trimmed(header(one("format", dtype::int8, {1}))) ==
        R"({"format":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}})");
  const metadata remark{{"w", "a remark"}};
  CHECK(header(one("w", dtype::int8, {1}), {.metadata = remark}).starts_with(R"({"__metadata__":{"w":"a remark"},)"));
  entries loaded = one("w", dtype::int8, {1});
  const std::array<metadata_pair, 1> of_a_file{{{"w", "a remark"}}};
  loaded.set_metadata(of_a_file);
  CHECK(header(loaded).starts_with(R"({"__metadata__":{"w":"a remark"},)"));
  CHECK(error_of(one("crc_num", dtype::int8, {1})) == "accepted");
  CHECK(error_of(one("w", dtype::int8, {1}), metadata{{"w", "a remark"}, {"format", "pt"}}) == "accepted");
}

TEST_CASE("safetensors writer: metadata alone of a loaded file is written again") {
  entries loaded = nothing();
  const std::array<metadata_pair, 1> of_a_file{{{"format", "pt"}}};
  loaded.set_metadata(of_a_file);
  CHECK(trimmed(header(loaded)) == R"({"__metadata__":{"format":"pt"}})");
}

TEST_CASE("safetensors writer: refuses more data than a plan can hold") {
  const std::byte zero{};
  for (const std::int64_t extent : {std::int64_t{1} << 62, std::numeric_limits<std::int64_t>::max()}) {
    entries one_alone = nothing();
    one_alone.add_tensor("a", tensor_view::strided(dtype::uint8, {extent}, &zero, shape{0}));
    CHECK(error_of(one_alone) == "f: tensor \"a\": with it the file passes 2^62 bytes");
  }
  entries all = nothing();
  const shape huge{std::int64_t{1} << 61};
  for (const char* name : {"a", "b"}) all.add_tensor(name, tensor_view::strided(dtype::uint8, huge, &zero, shape{0}));
  CHECK(error_of(all) == "f: tensor \"b\": with it the file passes 2^62 bytes");
}
