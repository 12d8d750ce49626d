#include <ckpt/format/safetensors_reader.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "../io/unmapped_source.hpp"

using namespace ckpt;

namespace {

/// The same bytes as a memory_source, but to be read piece by piece like a file on a network disk.
support::unmapped_source read_only_source(std::span<const std::byte> bytes) {
  return support::unmapped_source(bytes, "f");
}

std::vector<std::byte> file(std::string_view header, std::size_t data = 0) {
  std::vector<std::byte> bytes(8 + header.size() + data);
  store_le(bytes.data(), std::uint64_t{header.size()});
  for (std::size_t i = 0; i < header.size(); ++i) bytes[8 + i] = static_cast<std::byte>(header[i]);
  return bytes;
}

file_index read(std::string_view header, std::size_t data = 0) {
  const std::vector<std::byte> bytes = file(header, data);
  return safetensors_reader(memory_source(bytes, "f"), "safetensors").read();
}

std::string error_of_bytes(std::span<const std::byte> bytes) {
  std::string mapped = "accepted";
  std::string copied = "accepted";
  try {
    (void)safetensors_reader(memory_source(bytes, "f"), "safetensors").read();
  } catch (const format_error& error) {
    mapped = error.what();
  }
  try {
    (void)safetensors_reader(read_only_source(bytes), "safetensors").read();
  } catch (const format_error& error) {
    copied = error.what();
  }
  CHECK(mapped == copied);
  return mapped;
}

std::string error_of(std::string_view header, std::size_t data = 0) { return error_of_bytes(file(header, data)); }

errc code_of(std::string_view header, std::size_t data = 0) {
  try {
    (void)read(header, data);
  } catch (const format_error& error) {
    return error.code();
  }
  FAIL("accepted");
  return errc::system;
}

std::string names(const file_index& index) {
  std::string all;
  for (const index_entry& entry : index) all.append(entry.name()).append(" ");
  return all;
}

// An entry of one byte at [at, at + 1).
std::string byte_entry(std::string_view name, unsigned at) {
  return '"' + std::string(name) + R"(":{"dtype":"U8","shape":[1],"data_offsets":[)" + std::to_string(at) + "," +
         std::to_string(at + 1) + "]}";
}

// A header of one tensor "w" with this for its value.
std::string w(std::string_view value) { return R"({"w":)" + std::string(value) + "}"; }

}  // namespace

// What is accepted.

TEST_CASE("safetensors reader: a tensor's name, dtype, shape and place") {
  const std::string header = R"({"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}})";
  const file_index index = read(header, 24);
  CHECK(index.format() == "safetensors");
  CHECK(index.label() == "f");
  CHECK(index.file_size() == 8 + header.size() + 24);
  CHECK(!index.has_checksum());
  REQUIRE(index.size() == 1);
  CHECK(index[0].name() == "w");
  CHECK(index[0].kind() == entry_kind::tensor);
  CHECK(index[0].type() == dtype::float32);
  CHECK(to_string(index[0].shape()) == "[2,3]");
  CHECK(index[0].size_bytes() == 24);
  REQUIRE(index[0].extents().size() == 1);
  CHECK(index[0].extents()[0].offset == 8 + header.size());
  CHECK(index[0].extents()[0].size == 24);
}

TEST_CASE("safetensors reader: the index outlives the bytes it was read from") {
  const file_index index = [] {
    const std::vector<std::byte> bytes =
        file("{\"__metadata__\":{\"k\\n\":\"v\"}," + byte_entry("a\\u0041", 0) + "}", 1);
    return safetensors_reader(read_only_source(bytes), "safetensors").read();
  }();
  CHECK(names(index) == "aA k\n ");
  CHECK(index.metadata()[0] == file_index::metadata_pair("k\n", "v"));
}

TEST_CASE("safetensors reader: every dtype of the crate, by its name there") {
  for (const dtype_info& row : dtype_table) {
    if (row.safetensors.empty()) continue;
    const std::string bytes = std::to_string(row.bits);  // of 8 elements
    const std::string header =
        w(R"({"dtype":")" + std::string(row.safetensors) + R"(","shape":[8],"data_offsets":[0,)" + bytes + "]}");
    const file_index index = read(header, row.bits);
    CHECK(index[0].type() == row.type);
    CHECK(index[0].size_bytes() == row.bits);
  }
}

TEST_CASE("safetensors reader: tensors come in the order of their data") {
  CHECK(names(read("{" + byte_entry("a", 2) + "," + byte_entry("b", 0) + "," + byte_entry("c", 1) + "}", 3)) ==
        "b c a ");
}

TEST_CASE("safetensors reader: nothing at all, with and without blanks") {
  CHECK(read("{}").empty());
  CHECK(read("{}      ").empty());
  CHECK(read(" \n\t\r{ } ").empty());
  CHECK(read(R"({"__metadata__":{}})").empty());
}

TEST_CASE("safetensors reader: blanks between tokens, fields in any order, a header of any length") {
  const file_index index =
      read("\n{ \"w\" :\t{ \"data_offsets\" : [ 0 , 2 ] , \"shape\" : [ 1 ] , \"dtype\" : \"F16\" }\r} ", 2);
  CHECK(index[0].type() == dtype::float16);
}

TEST_CASE("safetensors reader: unknown fields of an entry are passed over, whatever they hold") {
  CHECK(
      read(
          w(R"({"x":[{"dtype":1},null,-1.5e3,"\n"],"dtype":"U8","":{},"shape":[1],"x":0,"data_offsets":[0,1],"y":true})"),
          1)
          .size() == 1);
}

TEST_CASE("safetensors reader: names and dtypes with escapes in them") {
  const file_index index =
      read(R"({"\u00ed\n\ud83d\ude00":{"d\u0074ype":"\u00558","shape":[],"data_offsets":[0,1]}})", 1);
  CHECK(index[0].name() == "\xc3\xad\n\xf0\x9f\x98\x80");
}

TEST_CASE("safetensors reader: an empty name") {
  const file_index index = read("{" + byte_entry("", 0) + "}", 1);
  CHECK(index.find("") != nullptr);
}

TEST_CASE("safetensors reader: a 0-d tensor") {
  const file_index index = read(w(R"({"dtype":"F64","shape":[],"data_offsets":[0,8]})"), 8);
  CHECK(index[0].shape().empty());
  CHECK(index[0].size_bytes() == 8);
}

TEST_CASE("safetensors reader: tensors of no bytes, at the beginning, between and at the end") {
  const auto empty = [](const char* name, const char* at) {
    return '"' + std::string(name) + R"(":{"dtype":"F32","shape":[0,3],"data_offsets":[)" + at + "]},";
  };
  const file_index index = read("{" + empty("end", "2,2") + byte_entry("b", 1) + "," + empty("mid", "1,1") +
                                    byte_entry("a", 0) + "," + empty("start", "0,0") + "\"__metadata__\":null}",
                                2);
  CHECK(names(index) == "start a mid b end ");
  CHECK(index.find("mid")->size_bytes() == 0);
  CHECK(to_string(index.find("mid")->shape()) == "[0,3]");
}

TEST_CASE("safetensors reader: extents that are large where another is 0") {
  const file_index index = read(w(R"({"dtype":"F64","shape":[0,9223372036854775807],"data_offsets":[0,0]})"));
  CHECK(to_string(index[0].shape()) == "[0,9223372036854775807]");
}

TEST_CASE("safetensors reader: sub-byte types that end at a byte's end") {
  const file_index four = read(w(R"({"dtype":"F4","shape":[3,2],"data_offsets":[0,3]})"), 3);
  const file_index six = read(w(R"({"dtype":"F6_E3M2","shape":[4],"data_offsets":[0,3]})"), 3);
  CHECK(four[0].type() == dtype::float4_e2m1);
  CHECK(six[0].type() == dtype::float6_e3m2);
}

TEST_CASE("safetensors reader: metadata in any place, null too") {
  const file_index last = read("{" + byte_entry("a", 0) + R"(,"__metadata__":{"format":"pt"}})", 1);
  const file_index escaped = read("{\"\\u005f_metadata__\":{\"format\":\"pt\"}," + byte_entry("a", 0) + "}", 1);
  const file_index null = read("{\"__metadata__\":null," + byte_entry("a", 0) + "}", 1);
  CHECK(last.metadata()[0].value == "pt");
  CHECK(escaped.metadata()[0].value == "pt");
  CHECK(null.metadata().empty());
}

TEST_CASE(
    "safetensors reader: pairs of the metadata are kept in order; what is not about the file is a string entry too") {
  const file_index index =
      read(R"({"__metadata__":{"note":"d\u00eda","format":"ms","remove_redundancy":"False","":""},)" +
               byte_entry("a", 0) + "}",
           1);
  CHECK(index.metadata().size() == 4);
  CHECK(index.metadata()[0] == file_index::metadata_pair("note",
                                                         "d\xc3\xad"
                                                         "a"));
  CHECK(index.metadata()[2] == file_index::metadata_pair("remove_redundancy", "False"));
  CHECK(names(index) == "a note  ");
  CHECK(index[1].kind() == entry_kind::string);
  CHECK(index[1].text() ==
        "d\xc3\xad"
        "a");
  CHECK(index[2].text().empty());
}

TEST_CASE("safetensors reader: a pair of the metadata that has a tensor's name is not an entry") {
  const file_index index = read(R"({"__metadata__":{"a":"about a"},)" + byte_entry("a", 0) + "}", 1);
  CHECK(names(index) == "a ");
  CHECK(index.metadata().size() == 1);
}

TEST_CASE("safetensors reader: an I8 tensor that the metadata marks is int4, wherever the metadata stands") {
  const std::string tensor = R"("q":{"dtype":"I8","shape":[2],"data_offsets":[0,2]})";
  for (const std::string& header :
       {R"({"__metadata__":{"q":"Int4"},)" + tensor + "}", "{" + tensor + R"(,"__metadata__":{"q":"Int4"}})"}) {
    const file_index index = read(header, 2);
    REQUIRE(index.size() == 1);
    CHECK(index[0].type() == dtype::int4);
    CHECK(index[0].size_bytes() == 2);
  }
}

TEST_CASE("safetensors reader: the marker of int4 changes no other tensor and is a string where there is none") {
  const file_index index = read(R"({"__metadata__":{"a":"Int4","b":"Int4"},)" + byte_entry("a", 0) + "}", 1);
  CHECK(index[0].type() == dtype::uint8);
  CHECK(index.find("b")->text() == "Int4");
}

TEST_CASE("safetensors reader: MindSpore's checksum in the metadata is noticed") {
  const file_index index = read(R"({"__metadata__":{"format":"ms","crc_num":"123"},)" + byte_entry("a", 0) + "}", 1);
  CHECK(index.has_checksum());
  CHECK(names(index) == "a ");
}

TEST_CASE("safetensors reader: of a source that is not in memory, only the header is read, and whole") {
  const std::vector<std::byte> bytes = file(w(R"({"dtype":"U8","shape":[100000],"data_offsets":[0,100000]})"), 100000);
  const support::unmapped_source from = read_only_source(bytes);
  CHECK(safetensors_reader(from, "safetensors").read().size() == 1);
  CHECK(from.largest_read == bytes.size() - 100008);
}

// What is refused: the file around the header.

TEST_CASE("safetensors reader: refuses a file shorter than its first eight bytes") {
  CHECK(error_of_bytes({}) ==
        "f: a safetensors file begins with the 8 bytes of its header's length; this one has 0, at byte 0");
  CHECK(error_of_bytes(std::vector<std::byte>(7)) ==
        "f: a safetensors file begins with the 8 bytes of its header's length; this one has 7, at byte 0");
}

TEST_CASE("safetensors reader: refuses a header over the limit") {
  std::vector<std::byte> bytes = file("{}");
  store_le(bytes.data(), std::uint64_t{100'000'001});
  CHECK(error_of_bytes(bytes) == "f: the header's length is 100000001; at most 100000000 is allowed, at byte 0");
  store_le(bytes.data(), ~std::uint64_t{0});
  CHECK(error_of_bytes(bytes) ==
        "f: the header's length is 18446744073709551615; at most 100000000 is allowed, at byte 0");
}

TEST_CASE("safetensors reader: refuses a header past the end of the file, and asks for no memory for it") {
  std::vector<std::byte> bytes = file("{}");
  store_le(bytes.data(), std::uint64_t{100'000'000});
  CHECK(error_of_bytes(bytes) == "f: the header takes 100000000 bytes, but only 2 follow its length, at byte 0");
  store_le(bytes.data(), std::uint64_t{3});
  CHECK(error_of_bytes(bytes) == "f: the header takes 3 bytes, but only 2 follow its length, at byte 0");
}

TEST_CASE("safetensors reader: refuses a header that is not one JSON object") {
  CHECK(error_of("") == "f: JSON: expected '{', found the end of the text, at byte 8");
  CHECK(error_of("[]") == "f: JSON: expected '{', found '[', at byte 8");
  CHECK(error_of("null") == "f: JSON: expected '{', found 'n', at byte 8");
  CHECK(error_of("{}{}") == "f: JSON: expected nothing but blanks after the value, found '{', at byte 10");
}

TEST_CASE("safetensors reader: refuses padding with NUL") {
  CHECK(error_of(std::string_view("{}\0\0\0\0\0\0", 8)) ==
        "f: JSON: expected nothing but blanks after the value, found byte 0x00, at byte 10");
}

TEST_CASE("safetensors reader: refuses bad UTF-8") {
  CHECK(error_of("{" + byte_entry("\xc0\x80", 0) + "}", 1) == "f: JSON: expected UTF-8, found byte 0xc0, at byte 10");
}

TEST_CASE("safetensors reader: refuses trailing commas") {
  CHECK(error_of("{" + byte_entry("a", 0) + ",}", 1) == "f: JSON: expected a name in quotes, found '}', at byte 61");
  CHECK(error_of(w(R"({"dtype":"U8","shape":[1,],"data_offsets":[0,1]})"), 1) ==
        "f: tensor \"w\": JSON: expected an unsigned integer, found ']', at byte 38");
}

TEST_CASE("safetensors reader: refuses raw control characters and lone surrogates in names") {
  CHECK(error_of("{" + byte_entry("a\n", 0) + "}", 1) ==
        "f: JSON: expected an escape for a control character, found byte 0x0a, at byte 11");
  CHECK(error_of("{" + byte_entry("\\udc00", 0) + "}", 1) ==
        "f: JSON: expected surrogates in pairs, found '\\', at byte 10");
}

TEST_CASE("safetensors reader: refuses deep nesting") {
  CHECK(error_of(w("{\"x\":" + std::string(126, '[') + std::string(126, ']') + "}")) ==
        "f: tensor \"w\": JSON: expected arrays and objects at most 127 deep in each other, found '[', at byte 143");
}

// What is refused: an entry.

TEST_CASE("safetensors reader: refuses an entry that is not an object") {
  CHECK(error_of(w("null")) == "f: tensor \"w\": JSON: expected '{', found 'n', at byte 13");
  CHECK(error_of(w(R"(["U8",[1],[0,1]])"), 1) == "f: tensor \"w\": JSON: expected '{', found '[', at byte 13");
}

TEST_CASE("safetensors reader: refuses a missing field") {
  CHECK(error_of(w(R"({"shape":[1],"data_offsets":[0,1]})"), 1) == "f: tensor \"w\": \"dtype\" is missing, at byte 9");
  CHECK(error_of(w(R"({"dtype":"U8","data_offsets":[0,1]})"), 1) == "f: tensor \"w\": \"shape\" is missing, at byte 9");
  CHECK(error_of(w(R"({"dtype":"U8","shape":[1]})"), 1) == "f: tensor \"w\": \"data_offsets\" is missing, at byte 9");
}

TEST_CASE("safetensors reader: refuses a doubled field") {
  CHECK(error_of(w(R"({"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]})"), 1) ==
        "f: tensor \"w\": \"dtype\" comes twice, at byte 27");
  CHECK(error_of(w(R"({"shape":[1],"shape":[1],"dtype":"U8","data_offsets":[0,1]})"), 1) ==
        "f: tensor \"w\": \"shape\" comes twice, at byte 26");
  CHECK(error_of(w(R"({"data_offsets":[0,1],"data_offsets":[0,1],"dtype":"U8","shape":[1]})"), 1) ==
        "f: tensor \"w\": \"data_offsets\" comes twice, at byte 35");
}

TEST_CASE("safetensors reader: refuses an unknown dtype") {
  const std::string header = w(R"({"dtype":"f32","shape":[1],"data_offsets":[0,4]})");
  CHECK(error_of(header, 4) == "f: tensor \"w\": dtype \"f32\" is unknown, at byte 22");
  CHECK(code_of(header, 4) == errc::unsupported);
  std::string endless = std::string(63, 'f');
  for (int i = 0; i < 1000; ++i) endless += "\u00e9";
  CHECK(error_of(w("{\"dtype\":\"" + endless + R"(","shape":[1],"data_offsets":[0,4]})"), 4) ==
        "f: tensor \"w\": dtype \"" + std::string(63, 'f') + "\" is unknown, at byte 22");
}

TEST_CASE("safetensors reader: refuses a dtype that is not a string") {
  CHECK(error_of(w(R"({"dtype":1,"shape":[1],"data_offsets":[0,1]})"), 1) ==
        "f: tensor \"w\": JSON: expected a string, found '1', at byte 22");
  CHECK(error_of(w(R"({"dtype":{"U8":null},"shape":[1],"data_offsets":[0,1]})"), 1) ==
        "f: tensor \"w\": JSON: expected a string, found '{', at byte 22");
}

TEST_CASE("safetensors reader: refuses numbers that are not unsigned integers") {
  const std::string expected = "f: tensor \"w\": JSON: expected an unsigned integer up to 18446744073709551615, found ";
  const auto shape = [](const std::string& extent) {
    return error_of(w(R"({"dtype":"U8","shape":[)" + extent + R"(],"data_offsets":[0,1]})"), 1);
  };
  CHECK(shape("1.0") == expected + "1.0, at byte 36");
  CHECK(shape("-1") == expected + "-1, at byte 36");
  CHECK(shape("1e0") == expected + "1e0, at byte 36");
  CHECK(shape("01") == expected + "01, at byte 36");
  CHECK(shape("18446744073709551616") == expected + "18446744073709551616, at byte 36");
  CHECK(error_of(w(R"({"dtype":"U8","shape":1,"data_offsets":[0,1]})"), 1) ==
        "f: tensor \"w\": JSON: expected '[', found '1', at byte 35");
  CHECK(error_of(w(R"({"dtype":"U8","shape":[1],"data_offsets":[-0,1]})"), 1) == expected + "-0, at byte 55");
}

TEST_CASE("safetensors reader: refuses data_offsets that are not two") {
  CHECK(error_of(w(R"({"dtype":"U8","shape":[1],"data_offsets":[]})"), 1) ==
        "f: tensor \"w\": data_offsets are 0 numbers instead of 2, at byte 54");
  CHECK(error_of(w(R"({"dtype":"U8","shape":[1],"data_offsets":[0,1,1]})"), 1) ==
        "f: tensor \"w\": data_offsets are 3 numbers instead of 2, at byte 54");
}

TEST_CASE("safetensors reader: refuses begin > end") {
  CHECK(error_of(w(R"({"dtype":"U8","shape":[1],"data_offsets":[1,0]})"), 1) ==
        "f: tensor \"w\": data_offsets [1,0) end before they begin, at byte 54");
}

TEST_CASE("safetensors reader: refuses offsets that do not match shape and dtype") {
  CHECK(error_of(w(R"({"dtype":"F32","shape":[2,2],"data_offsets":[0,24]})"), 24) ==
        "f: tensor \"w\": data_offsets [0,24) do not match F32[2,2] (16 bytes), at byte 57");
  CHECK(error_of(w(R"({"dtype":"F32","shape":[0],"data_offsets":[0,4]})"), 4) ==
        "f: tensor \"w\": data_offsets [0,4) do not match F32[0] (0 bytes), at byte 55");
}

TEST_CASE("safetensors reader: refuses arithmetic overflow") {
  const std::string header = w(R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]})");
  CHECK(error_of(header) == "f: tensor \"w\": F32[4294967296,4294967296] passes 2^63 - 1 elements or bytes, at byte 9");
  CHECK(code_of(header) == errc::unsupported);
  CHECK(error_of(w(R"({"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]})")) ==
        "f: tensor \"w\": F32[4611686018427387904] passes 2^63 - 1 elements or bytes, at byte 9");
  CHECK(
      error_of(w(R"({"dtype":"U8","shape":[4294967296,4294967296,0],"data_offsets":[0,0]})")) ==
      "f: tensor \"w\": U8[4294967296,4294967296,0] takes no bytes, but without its zeros passes 2^63 - 1 elements or "
      "bytes, at byte 9");
  CHECK(error_of(w(R"({"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,0]})")) ==
        "f: tensor \"w\": extent 9223372036854775808 passes 2^63 - 1, at byte 36");
}

TEST_CASE("safetensors reader: refuses a sub-byte type that ends inside a byte") {
  CHECK(error_of(w(R"({"dtype":"F4","shape":[3],"data_offsets":[0,1]})"), 1) ==
        "f: tensor \"w\": F4[3] ends inside a byte, at byte 9");
  CHECK(error_of(w(R"({"dtype":"F6_E2M3","shape":[2,3],"data_offsets":[0,5]})"), 5) ==
        "f: tensor \"w\": F6_E2M3[2,3] ends inside a byte, at byte 9");
}

TEST_CASE("safetensors reader: refuses an unknown field that is not JSON") {
  const auto unknown = [](const std::string& value) {
    return error_of(w(R"({"x":)" + value + R"(,"dtype":"U8","shape":[1],"data_offsets":[0,1]})"), 1);
  };
  CHECK(unknown("01") == "f: tensor \"w\": JSON: expected no digit after a leading 0, found '1', at byte 19");
  CHECK(unknown("nul") == "f: tensor \"w\": JSON: expected null, found 'n', at byte 18");
  CHECK(unknown("\"\\ud800\"") == "f: tensor \"w\": JSON: expected surrogates in pairs, found '\\', at byte 19");
  CHECK(unknown("1e999") == "f: tensor \"w\": JSON: expected a number that a double can hold, found '1', at byte 18");
}

// What is refused: entries together.

TEST_CASE("safetensors reader: refuses holes") {
  CHECK(error_of("{" + byte_entry("a", 1) + "}", 2) ==
        "f: tensor \"a\": data_offsets [1,2) leave a hole: the data before them ends at 0, at byte 54");
  CHECK(error_of("{" + byte_entry("b", 3) + "," + byte_entry("a", 0) + "}", 4) ==
        "f: tensor \"b\": data_offsets [3,4) leave a hole: the data before them ends at 1, at byte 54");
  CHECK(error_of(R"({"e":{"dtype":"U8","shape":[0],"data_offsets":[2,2]},)" + byte_entry("a", 0) + "}", 1) ==
        "f: tensor \"e\": data_offsets [2,2) leave a hole: the data before them ends at 1, at byte 54");
}

TEST_CASE("safetensors reader: refuses overlaps") {
  CHECK(error_of("{" + byte_entry("a", 0) + "," + byte_entry("b", 0) + "}", 1) ==
        "f: tensor \"b\": data_offsets [0,1) overlap the data before them, which ends at 1, at byte 106");
  CHECK(error_of(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)" + byte_entry("b", 2) + "}", 4) ==
        "f: tensor \"b\": data_offsets [2,3) overlap the data before them, which ends at 4, at byte 106");
  CHECK(
      error_of(
          R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"e":{"dtype":"U8","shape":[0],"data_offsets":[2,2]}})",
          4) == "f: tensor \"e\": data_offsets [2,2) overlap the data before them, which ends at 4, at byte 106");
}

TEST_CASE("safetensors reader: refuses bytes left over") {
  const std::string header = "{" + byte_entry("a", 0) + "}";
  CHECK(error_of(header, 3) ==
        "f: 2 bytes follow the data of the last tensor, at byte " + std::to_string(8 + header.size() + 1));
  CHECK(error_of("{}", 1) == "f: 1 bytes follow the data of the last tensor, at byte 10");
}

TEST_CASE("safetensors reader: refuses a file that ends before its data does") {
  const std::string header = "{" + byte_entry("a", 0) + "," + byte_entry("b", 1) + "}";
  CHECK(error_of(header, 1) ==
        "f: tensor \"b\": data_offsets [1,2) pass the end of the file, which has 1 bytes of data, at byte 106");
  CHECK(code_of(header, 1) == errc::truncated);
  CHECK(error_of(w(R"({"dtype":"U8","shape":[9223372036854775807],"data_offsets":[0,9223372036854775807]})")) ==
        "f: tensor \"w\": data_offsets [0,9223372036854775807) pass the end of the file, which has 0 bytes of data, at "
        "byte 72");
}

TEST_CASE("safetensors reader: refuses a name that comes twice, which the crate does not") {
  CHECK(error_of("{" + byte_entry("a", 0) + "," + byte_entry("\\u0061", 1) + "}", 2) ==
        "f: tensor \"a\": the name comes twice, at byte 61");
  CHECK(error_of("{" + byte_entry("a", 0) + "," + byte_entry("a", 0) + "}", 1) ==
        "f: tensor \"a\": the name comes twice, at byte 61");
  CHECK(code_of("{" + byte_entry("a", 0) + "," + byte_entry("a", 1) + "}", 2) == errc::duplicate);
}

TEST_CASE("safetensors reader: refuses metadata that comes twice") {
  CHECK(error_of(R"({"__metadata__":{},"__metadata__":{}})") == "f: __metadata__ comes twice, at byte 27");
  CHECK(error_of(R"({"__metadata__":null,"__metadata__":{}})") == "f: __metadata__ comes twice, at byte 29");
}

TEST_CASE("safetensors reader: refuses a metadata key that comes twice, which the crate does not") {
  CHECK(error_of(R"({"__metadata__":{"k":"1","k":"2"}})") == "f: the metadata key \"k\" comes twice, at byte 33");
}

TEST_CASE("safetensors reader: refuses a metadata value that is not a string, and metadata that is no object") {
  CHECK(error_of(R"({"__metadata__":{"k":1}})") == "f: JSON: expected a string, found '1', at byte 29");
  CHECK(error_of(R"({"__metadata__":{"k":null}})") == "f: JSON: expected a string, found 'n', at byte 29");
  CHECK(error_of(R"({"__metadata__":{"k":{}}})") == "f: JSON: expected a string, found '{', at byte 29");
  CHECK(error_of(R"({"__metadata__":[]})") == "f: JSON: expected '{', found '[', at byte 24");
}
