#include <ckpt/format/mindspore_reader.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <new>
#include <set>
#include <string>
#include <vector>

#include "../io/unmapped_source.hpp"
#include "ckpt_file.hpp"

using namespace ckpt;
using namespace ckpt_file;
using namespace std::string_literals;

// How much one piece of memory took, at most, while this is not null.
namespace {
thread_local std::size_t* largest_allocation = nullptr;
}  // namespace

// NOLINTBEGIN: a counting allocator, out of line so that g++ does not take malloc and free for partners of new
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (largest_allocation != nullptr && size > *largest_allocation) *largest_allocation = size;
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
// NOLINTEND

namespace {

/// The bytes of a file that is not in memory.
support::unmapped_source read_only_source(std::string_view bytes) {
  return support::unmapped_source(support::bytes(bytes), "f");
}

/// `a int8[2] [13,15); note "text"; t map [3,9)[12,20)`, and whether there is a checksum.
std::string describe(const file_index& index) {
  std::string out;
  for (const index_entry& entry : index) {
    if (!out.empty()) out += "; ";
    out.append(entry.name()).append(" ");
    if (entry.kind() == entry_kind::string) {
      out.append("\"").append(entry.text()).append("\"");
      continue;
    }
    if (entry.kind() == entry_kind::map) out += "map ";
    else out.append(name(entry.type())).append(to_string(entry.shape())).append(" ");
    for (const extent& part : entry.extents())
      out.append("[")
          .append(std::to_string(part.offset))
          .append(",")
          .append(std::to_string(part.offset + part.size))
          .append(")");
  }
  if (index.has_checksum()) out += out.empty() ? "checksum" : "; checksum";
  return out;
}

std::string read_from(const source& from) {
  try {
    const file_index index = mindspore_reader(from, "ckpt").read();
    CHECK(index.file_size() == from.size());
    return describe(index);
  } catch (const format_error& e) {
    return "refused: "s + e.what();
  }
}

std::string read_memory(std::string_view file) { return read_from(memory_source(support::bytes(file), "f")); }

/// What the reader says of a file, the same whether it lies in memory or is read piece by piece.
std::string read(std::string_view file) {
  const std::string in_memory = read_memory(file);
  CHECK(read_from(read_only_source(file)) == in_memory);
  return in_memory;
}

errc code_of(std::string_view file) {
  return support::error_of<format_error>(
             [&] { (void)mindspore_reader(memory_source(support::bytes(file), "f"), "ckpt").read(); })
      .code();
}

/// Nested groups of field 7.
std::string groups(std::size_t depth) { return std::string(depth, '\x3b') + std::string(depth, '\x3c'); }

const std::string good = int8("a", "\1\2");

const std::string trailer = "crc_num\0\0\0\0\0\0\x12\x34\x56\x78"s;

}  // namespace

// What is accepted: the ckpt format.

TEST_CASE("ckpt reader: the message of the documentation") {
  CHECK(read(support::unhex("0a110a0161120c08021204496e74381a020100")) == "a int8[2] [17,19)");
}

TEST_CASE("ckpt reader: what is said of a tensor") {
  const std::string file = value("w", tensor({2, 3}, "Float32", std::string(24, 'x')));
  const file_index index = mindspore_reader(memory_source(support::bytes(file), "f"), "ckpt").read();
  CHECK(index.format() == "ckpt");
  CHECK(index.label() == "f");
  CHECK(index.metadata().empty());
  CHECK(!index.has_checksum());
  REQUIRE(index.size() == 1);
  CHECK(index[0].name() == "w");
  CHECK((index[0].type() == dtype::float32));
  CHECK(to_string(index[0].shape()) == "[2,3]");
  CHECK(index[0].size_bytes() == 24);
  CHECK(index[0].extents()[0].offset == file.size() - 24);
}

TEST_CASE("ckpt reader: nothing at all") { CHECK(read("").empty()); }

TEST_CASE("ckpt reader: messages one after the other, in their order") {
  CHECK(read(int8("b", "1") + int8("a", "22") + int8("", "333")) ==
        "b int8[1] [17,18); a int8[2] [35,37);  int8[3] [53,56)");
}

TEST_CASE("ckpt reader: every dtype that MindSpore has") {
  for (const dtype_info& row : dtype_table) {
    if (row.mindspore.empty()) continue;
    INFO(row.name);
    const std::string content(row.bits / 8U * 3U, '\1');
    CHECK(read(value("a", tensor({3}, row.mindspore, content))).starts_with("a " + std::string(row.name) + "[3] ["));
  }
}

TEST_CASE("ckpt reader: dtypes by turns") {
  CHECK(read(value("a", tensor({1}, "Int8", "1")) + value("b", tensor({1}, "Float16", "22")) +
             value("c", tensor({1}, "Int8", "3")) + value("d", tensor({1}, "Bool", "4"))) ==
        "a int8[1] [17,18); b float16[1] [38,40); c int8[1] [57,58); d bool[1] [75,76)");
}

TEST_CASE("ckpt reader: a 0-d tensor has no dims") {
  CHECK(read(value("a", tensor({}, "Int16", "12"))) == "a int16[] [16,18)");
}

TEST_CASE("ckpt reader: dims [0] with one element is 0-d too") {
  CHECK(read(value("a", tensor({0}, "Int16", "12"))) == "a int16[] [18,20)");
  CHECK(read(value("a", tensor({0}, "Complex128", std::string(16, 'x')))) == "a complex128[] [23,39)");
}

TEST_CASE("ckpt reader: dims [0] without content is no elements") {
  CHECK(read(value("a", tensor({0}, "Int16", ""))) == "a int16[0] [18,18)");
}

TEST_CASE("ckpt reader: empty tensors of other shapes") {
  CHECK(read(value("a", tensor({0, 3}, "Float32", ""))) == "a float32[0,3] [22,22)");
  CHECK(read(value("a", tensor({3, 0}, "Float32", ""))) == "a float32[3,0] [22,22)");
  CHECK(read(value("a", tensor({0, std::int64_t{1} << 40}, "Float32", ""))) == "a float32[0,1099511627776] [27,27)");
}

TEST_CASE("ckpt reader: names that MindSpore does not load are read") {
  const std::string name(5000, 'n');
  CHECK(read(int8(name, "1")).starts_with(name + " int8[1] ["));
}

TEST_CASE("ckpt reader: a bool may hold any byte, which is for those to judge who look at it") {
  CHECK(read(value("a", tensor({2}, "Bool", "\2\xff"))) == "a bool[2] [17,19)");
}

TEST_CASE("ckpt reader: a string, with dims and without") {
  CHECK(read(text("s", U"d\u00eda")) == "s \"d\u00eda\"");
  CHECK(read(value("s", tensor({}, "str", utf32(U"abc")))) == "s \"abc\"");
  CHECK(read(value("s", tensor({7, 7}, "str", utf32(U"abc")))) == "s \"abc\"");
}

TEST_CASE("ckpt reader: the empty string, as one zero or as nothing") {
  CHECK(read(text("s", std::u32string(1, U'\0'))) == "s \"\"");
  CHECK(read(text("s", U"")) == "s \"\"");
}

TEST_CASE("ckpt reader: zeros at the end of a string are dropped, those within stay") {
  using namespace std::string_view_literals;
  CHECK(read(text("s", U"a\0b\0\0"sv)) == "s \"a\0b\""s);
  CHECK(read(text("s", U"\0\0\0"sv)) == "s \"\"");
}

TEST_CASE("ckpt reader: code points of every size") {
  CHECK(read(text("s", U"a\u00e9\u20ac\U0001f600\U0010ffff")) == "s \"a\u00e9\u20ac\U0001f600\U0010ffff\"");
}

TEST_CASE("ckpt reader: a lone surrogate is taken as its three bytes") {
  CHECK(read(text("s", std::u32string(1, static_cast<char32_t>(0xd800)))) == "s \"\xed\xa0\x80\"");
}

TEST_CASE("ckpt reader: a long string") {
  CHECK(read(text("s", std::u32string(10'000, U'\u00e9'))).size() == 4 + 2 * 10'000);
}

TEST_CASE("ckpt reader: chunks of one tag are joined") {
  const auto chunk = [](std::string_view content) { return value("a", tensor({2, 2}, "Int16", content)); };
  CHECK(read(chunk("1234") + chunk("5678")) == "a int16[2,2] [20,24)[44,48)");
  CHECK(read(chunk("1") + chunk("") + chunk("23456") + chunk("78")) == "a int16[2,2] [20,21)[41,41)[61,66)[86,88)");
}

TEST_CASE("ckpt reader: other fields may stand between chunks") {
  const auto chunk = [](std::string_view content) { return value("a", tensor({3}, "Int8", content)); };
  CHECK(read(chunk("1") + unknown() + chunk("23")) == "a int8[3] [17,18)[" +
                                                          std::to_string(18 + unknown().size() + 17) + "," +
                                                          std::to_string(18 + unknown().size() + 19) + ")");
}

TEST_CASE("ckpt reader: chunks of a string are joined") {
  CHECK(read(text("s", U"ab") + text("s", U"cd") + int8("a", "1")).starts_with("s \"abcd\"; a int8[1]"));
  CHECK(read(text("s", std::u32string(U"a\0", 2)) + text("s", U"b")) == "s \"a\0b\""s);
}

TEST_CASE("ckpt reader: a map is three tensors, in one slice or several") {
  const std::string slice = map_of({"12", "3456", "78"});
  const std::string other = map_of({"", "", ""});
  CHECK(read(map("m", slice)) == "m map [7," + std::to_string(7 + slice.size()) + ")");
  const std::size_t first = map("m", slice).size();
  CHECK(read(map("m", slice) + map("m", other)) == "m map [7," + std::to_string(first) + ")[" +
                                                       std::to_string(first + 7) + "," +
                                                       std::to_string(first + 7 + other.size()) + ")");
  CHECK(read(map("m", slice) + map("n", slice) + good).find("; n map [") != std::string::npos);
}

// The checksum after the messages.

TEST_CASE("ckpt reader: a checksum after the last message") {
  CHECK(read(good + trailer) == "a int8[2] [17,19); checksum");
  CHECK(read(trailer) == "checksum");
  CHECK(read(text("s", U"ab") + trailer) == "s \"ab\"; checksum");
  CHECK(read(good + "crc_num\0\0\0\0\0\0\0\0\0\0"s) == "a int8[2] [17,19); checksum");
}

TEST_CASE("ckpt reader: a content that ends like a checksum is content") {
  CHECK(read(int8("a", trailer)) == "a int8[17] [17,34)");
  CHECK(read(int8("a", trailer) + bytes(1000, "")) == "a int8[17] [17,34)");
  CHECK(read(int8("a", trailer) + trailer) == "a int8[17] [17,34); checksum");
}

TEST_CASE("ckpt reader refuses: bytes after the checksum") {
  CHECK(read(good + trailer + "x") == "refused: f: 1 bytes follow the checksum, which ends a file, at byte 19");
  CHECK(read(good + trailer + good) == "refused: f: 19 bytes follow the checksum, which ends a file, at byte 19");
  CHECK(code_of(good + trailer + "x") == errc::malformed);
}

TEST_CASE("ckpt reader refuses: a checksum that is cut short") {
  CHECK(read(good + trailer.substr(0, 16)) ==
        "refused: f: the checksum after the last message is cut short: 16 of 17 bytes, at byte 19");
  CHECK(read(good + "crc_num") ==
        "refused: f: the checksum after the last message is cut short: 7 of 17 bytes, at byte 19");
  CHECK(code_of(good + "crc_num") == errc::truncated);
  CHECK(read(good + "crc_nu") ==
        "refused: f: the checksum after the last message is cut short: 6 of 17 bytes, at byte 19");
  CHECK(read(good + "c") == "refused: f: the checksum after the last message is cut short: 1 of 17 bytes, at byte 19");
  CHECK(read(good + "cd") == read(good));  // group 12, and its end
}

TEST_CASE("ckpt reader: a tensor that its chunks leave incomplete before the checksum is refused") {
  CHECK(read(value("a", tensor({3}, "Int8", "1")) + trailer) ==
        "refused: f: tensor \"a\": int8[3] takes 3 bytes, its content has 1, at byte 0");
}

// What is accepted: the ckpt format, all that protobuf allows.

TEST_CASE("ckpt reader: unknown fields of every wire type beside the values") {
  CHECK(read(unknown()).empty());
  const std::string places = std::to_string(17 + unknown().size());
  CHECK(read(unknown() + good + unknown()) ==
        "a int8[2] [" + places + "," + std::to_string(19 + unknown().size()) + ")");
}

TEST_CASE("ckpt reader: unknown fields of every wire type within a value") {
  const std::string inner = tensor({2}, "Int8", "12");
  const std::string file = bytes(1, unknown() + bytes(1, "a") + unknown() + number(4, 1) + bytes(2, inner) + unknown());
  const std::size_t end = file.size() - unknown().size();
  CHECK(read(file) == "a int8[2] [" + std::to_string(end - 2) + "," + std::to_string(end) + ")");
}

TEST_CASE("ckpt reader: unknown fields of every wire type within a tensor") {
  const std::string inner =
      unknown() + dims({2}) + unknown() + bytes(2, "Int8") + number(4, 1) + unknown() + bytes(3, "12") + unknown();
  const std::string file = value("a", inner);
  const std::size_t end = file.size() - unknown().size();
  CHECK(read(file) == "a int8[2] [" + std::to_string(end - 2) + "," + std::to_string(end) + ")");
}

TEST_CASE("ckpt reader: unknown fields of every wire type within a map") {
  const std::string slice = unknown() + map_of({"1", "2"}) + unknown() + map_of({"3"}) + unknown();
  const std::string file = map("m", slice);
  CHECK(read(file) == "m map [" + std::to_string(file.size() - slice.size()) + "," + std::to_string(file.size()) + ")");
}

TEST_CASE("ckpt reader: many unknown fields, read piece by piece") {
  std::string file;
  for (int i = 0; i < 5000; ++i) file += number(5, 1) + (i % 100 == 0 ? unknown() : "");
  const std::size_t begin = file.size();
  file += good + file;
  CHECK(read(file) == "a int8[2] [" + std::to_string(begin + 17) + "," + std::to_string(begin + 19) + ")");
}

TEST_CASE("ckpt reader: a name far before what it names, read piece by piece") {
  std::string file;
  for (int i = 0; i < 3; ++i)
    file += value("name " + std::to_string(i), bytes(1000, std::string(100'000, 'x')) + tensor({1}, "Int8", "1"));
  CHECK(read(file).starts_with("name 0 int8[1] ["));
  CHECK(read(file).find("; name 2 int8[1] [") != std::string::npos);
}

TEST_CASE("ckpt reader: groups nested 100 deep, at every level") {
  CHECK(read(groups(100) + good).starts_with("a int8[2]"));
  CHECK(read(bytes(1, groups(100) + bytes(1, "a") + bytes(2, tensor({1}, "Int8", "1")))).starts_with("a int8[1]"));
  CHECK(read(value("a", groups(100) + tensor({1}, "Int8", "1"))).starts_with("a int8[1]"));
  CHECK(read(map("m", groups(100) + map_of({"", "", ""}))).starts_with("m map"));
}

TEST_CASE("ckpt reader: varints longer than needed, in keys, lengths and dims") {
  const std::string inner = long_varint(1U << 3U, 10) + long_varint(2, 10) + long_varint(2U << 3U | 2U, 5) +
                            long_varint(4, 9) + "Int8" + long_varint(3U << 3U | 2U, 2) + long_varint(2, 3) + "12";
  const std::string outer = long_varint(1U << 3U | 2U, 4) + long_varint(1, 10) + "a" + bytes(2, inner);
  const std::string file = long_varint(1U << 3U | 2U, 10) + long_varint(outer.size(), 8) + outer;
  CHECK(read(file) == "a int8[2] [" + std::to_string(file.size() - 2) + "," + std::to_string(file.size()) + ")");
}

TEST_CASE("ckpt reader: packed dims, also mixed with others, also none") {
  CHECK(read(value("a", bytes(1, "\2\3") + bytes(2, "Int8") + bytes(3, "123456"))) == "a int8[2,3] [19,25)");
  CHECK(read(value("a", number(1, 2) + bytes(1, "\1" + long_varint(3, 10)) + number(1, 1) + bytes(2, "Int8") +
                            bytes(3, "123456")))
            .starts_with("a int8[2,1,3,1] ["));
  CHECK(read(value("a", bytes(1, "") + bytes(2, "Int8") + bytes(3, "1"))) == "a int8[] [17,18)");
}

TEST_CASE("ckpt reader: fields in any order") {
  CHECK(read(bytes(1, bytes(2, bytes(3, "12") + bytes(2, "Int8") + dims({2})) + bytes(1, "a"))) == "a int8[2] [6,8)");
  CHECK(read(value("a", bytes(3, "12") + number(1, 1) + bytes(2, "Int8") + number(1, 2))) == "a int8[1,2] [9,11)");
  CHECK(read(bytes(1, bytes(3, map_of({"", "", ""})) + bytes(1, "m"))).starts_with("m map ["));
}

TEST_CASE("ckpt reader: of a field given twice the last one counts") {
  CHECK(read(bytes(1, bytes(1, "first") + bytes(2, tensor({2}, "Int8", "12")) + bytes(1, "a")))
            .starts_with("a int8[2] ["));
  CHECK(
      read(value("a", dims({2}) + bytes(2, "Float64") + bytes(2, "Int8") + bytes(3, "12"))).starts_with("a int8[2] ["));
  CHECK(read(value("a", bytes(3, "12345") + dims({2}) + bytes(2, "Int8") + bytes(3, "12"))) == "a int8[2] [24,26)");
}

TEST_CASE("ckpt reader: several values in one message are as many messages") {
  const std::string one = good + int8("b", "3") + text("s", U"x");
  CHECK(read(one) == "a int8[2] [17,19); b int8[1] [36,37); s \"x\"");
}

// What is refused: the ckpt format, each with its words.

TEST_CASE("ckpt reader refuses: content shorter than dims and type say") {
  CHECK(read(value("a", tensor({3}, "Float32", "1234"))) ==
        "refused: f: tensor \"a\": float32[3] takes 12 bytes, its content has 4, at byte 0");
  CHECK(read(good + value("b", tensor({}, "Int8", ""))) ==
        "refused: f: tensor \"b\": int8[] takes 1 bytes, its content has 0, at byte 19");
  CHECK(code_of(value("a", tensor({3}, "Float32", "1234"))) == errc::malformed);
}

TEST_CASE("ckpt reader refuses: content longer than dims and type say") {
  CHECK(read(value("a", tensor({1}, "Float32", "12345"))) ==
        "refused: f: tensor \"a\": float32[1] takes 4 bytes, its content has 5, at byte 20");
  CHECK(read(value("a", tensor({0}, "Int16", "1234"))) ==
        "refused: f: tensor \"a\": int16[0] takes 0 bytes, its content has 4, at byte 18");
  CHECK(read(value("a", tensor({0}, "Int16", "1"))) ==
        "refused: f: tensor \"a\": int16[0] takes 0 bytes, its content has 1, at byte 18");
}

TEST_CASE("ckpt reader refuses: a value with neither tensor nor map") {
  CHECK(read(good + bytes(1, bytes(1, "b"))) ==
        "refused: f: tensor \"b\": the value holds neither a tensor nor a map, at byte 19");
  // An empty name, with which the file ends.
  CHECK(read(std::string_view("\x0a\x02\x0a\x00", 4)) ==
        "refused: f: tensor \"\": the value holds neither a tensor nor a map, at byte 0");
  CHECK(code_of(bytes(1, bytes(1, "b"))) == errc::malformed);
}

TEST_CASE("ckpt reader refuses: a value without tag") {
  CHECK(read(good + bytes(1, bytes(2, tensor({1}, "Int8", "1")))) ==
        "refused: f: a value has no tag, so its tensor has no name, at byte 19");
  CHECK(read(bytes(1, "")) == "refused: f: a value has no tag, so its tensor has no name, at byte 0");
}

TEST_CASE("ckpt reader refuses: chunks that differ in dims") {
  CHECK(read(value("a", tensor({3}, "Int8", "1")) + value("a", tensor({2}, "Int8", "2"))) ==
        "refused: f: tensor \"a\": a chunk of int8[2] follows one of int8[3], at byte 18");
}

TEST_CASE("ckpt reader refuses: chunks that differ in type") {
  CHECK(read(value("a", tensor({3}, "Int8", "1")) + value("a", tensor({3}, "UInt8", "23"))) ==
        "refused: f: tensor \"a\": a chunk of uint8[3] follows one of int8[3], at byte 18");
}

TEST_CASE("ckpt reader refuses: chunks that do not add up") {
  const auto chunk = [](std::string_view content) { return value("a", tensor({3}, "Int8", content)); };
  CHECK(read(chunk("1") + chunk("2")) ==
        "refused: f: tensor \"a\": int8[3] takes 3 bytes, its content has 2, at byte 0");
  CHECK(read(chunk("1") + chunk("234")) ==
        "refused: f: tensor \"a\": int8[3] takes 3 bytes, its content has 4, at byte 35");
  CHECK(read(chunk("1") + int8("b", "1") + chunk("23")) ==
        "refused: f: tensor \"a\": int8[3] takes 3 bytes, its content has 1, at byte 0");
  CHECK(read(good + chunk("1") + text("a", U"x")) ==
        "refused: f: tensor \"a\": int8[3] takes 3 bytes, its content has 1, at byte 19");
}

TEST_CASE("ckpt reader refuses: a dim below zero") {
  CHECK(read(value("a", tensor({2, -3}, "Int8", "1"))) == "refused: f: tensor \"a\": dim -3 is below zero, at byte 9");
  CHECK(read(value("a", bytes(1, varint(1) + varint(~std::uint64_t{0})) + bytes(2, "Int8") + bytes(3, "1"))) ==
        "refused: f: tensor \"a\": dim -1 is below zero, at byte 10");
  CHECK(code_of(value("a", tensor({-1}, "Int8", ""))) == errc::malformed);
}

TEST_CASE("ckpt reader refuses: a product of dims past 2^63") {
  constexpr std::int64_t large = std::int64_t{1} << 40;
  CHECK(read(value("a", tensor({large, large}, "Int8", "1"))) ==
        "refused: f: tensor \"a\": int8[1099511627776,1099511627776] takes more than 2^63 - 1 bytes, at byte 0");
  CHECK(read(value("a", tensor({std::int64_t{1} << 62, 0, 4}, "Int8", ""))) ==
        "refused: f: tensor \"a\": int8[4611686018427387904,0,4] takes no bytes, but without its zeros would take more "
        "than 2^63 - 1, at byte 0");
  CHECK(read(value("a", tensor({std::int64_t{1} << 60}, "Float64", "1"))) ==
        "refused: f: tensor \"a\": float64[1152921504606846976] takes more than 2^63 - 1 bytes, at byte 0");
}

TEST_CASE("ckpt reader refuses: an unknown tensor_type") {
  CHECK(read(value("a", tensor({1}, "Float8", "1"))) ==
        "refused: f: tensor \"a\": tensor_type \"Float8\" is unknown, at byte 11");
  CHECK(read(value("a", tensor({1}, "", "1"))) == "refused: f: tensor \"a\": tensor_type \"\" is unknown, at byte 11");
  CHECK(read(value("a", tensor({1}, "int8", "1"))) ==
        "refused: f: tensor \"a\": tensor_type \"int8\" is unknown, at byte 11");
  CHECK(read(good + value("b", tensor({1}, "Int81", "1"))) ==
        "refused: f: tensor \"b\": tensor_type \"Int81\" is unknown, at byte 30");
  CHECK(code_of(value("a", tensor({1}, "Float8", "1"))) == errc::unsupported);
}

TEST_CASE("ckpt reader refuses: a tag that is not UTF-8") {
  CHECK(read(good + int8("b\xff", "1")) == "refused: f: the tag is not UTF-8, at byte 23");
  CHECK(read(int8("\xed\xa0\x80", "1")) == "refused: f: the tag is not UTF-8, at byte 4");
  CHECK(code_of(int8("b\xff", "1")) == errc::invalid_name);
}

TEST_CASE("ckpt reader refuses: a tensor_type that is not UTF-8") {
  CHECK(read(value("a", tensor({1}, "Int\xff", "1"))) ==
        "refused: f: tensor \"a\": tensor_type is not UTF-8, at byte 11");
}

TEST_CASE("ckpt reader refuses: a string whose bytes are no multiple of 4") {
  CHECK(read(value("s", tensor({0}, "str", "abcdef"))) ==
        "refused: f: string \"s\": its 6 bytes are no multiple of the 4 that a code point takes, at byte 16");
  CHECK(code_of(value("s", tensor({0}, "str", "abcdef"))) == errc::malformed);
}

TEST_CASE("ckpt reader refuses: a code point past 10FFFF") {
  CHECK(read(value("s", tensor({0}, "str", utf32(U"ab") + "\0\0\x11\0"s))) ==
        "refused: f: string \"s\": code point 1114112 is past 1114111 (10FFFF), at byte 24");
  CHECK(read(value("s", tensor({0}, "str", "\xff\xff\xff\xff"))) ==
        "refused: f: string \"s\": code point 4294967295 is past 1114111 (10FFFF), at byte 16");
}

TEST_CASE("ckpt reader refuses: one name twice that are not chunks of one tensor") {
  const std::string why = "the file holds this name twice, and not as chunks of one tensor, at byte ";
  CHECK(read(good + int8("b", "1") + int8("a", "12")) == "refused: f: tensor \"a\": " + why + "37");
  CHECK(read(good + good) == "refused: f: tensor \"a\": " + why + "19");
  CHECK(read(int8("a", "") + int8("a", "")) == "refused: f: tensor \"a\": " + why + "17");
  CHECK(read(good + text("a", U"x")) == "refused: f: string \"a\": " + why + "19");
  CHECK(read(text("a", U"x") + good) == "refused: f: tensor \"a\": " + why + "20");
  CHECK(read(text("a", U"x") + int8("b", "1") + text("a", U"y")) == "refused: f: string \"a\": " + why + "38");
  CHECK(read(map("a", map_of({"", "", ""})) + good).starts_with("refused: f: tensor \"a\": " + why));
  CHECK(read(good + map("a", map_of({"", "", ""}))) == "refused: f: map \"a\": " + why + "19");
  CHECK(read(int8("", "1") + int8("", "1")) == "refused: f: tensor \"\": " + why + "17");
  CHECK(code_of(good + good) == errc::duplicate);
}

TEST_CASE("ckpt reader refuses: more chunks than the tensor has room for, as one name twice") {
  const auto chunk = [](std::string_view content) { return value("a", tensor({3}, "Int8", content)); };
  const std::string why = "the file holds this name twice, and not as chunks of one tensor, at byte 37";
  CHECK(read(chunk("1") + chunk("23") + chunk("123")) == "refused: f: tensor \"a\": " + why);
  CHECK(read(chunk("1") + chunk("23") + text("a", U"x")) == "refused: f: string \"a\": " + why);
}

TEST_CASE("ckpt reader refuses: two tensors in one value") {
  const std::string inner = tensor({1}, "Int8", "1");
  CHECK(read(bytes(1, bytes(1, "a") + bytes(2, inner) + bytes(2, inner))) ==
        "refused: f: tensor \"a\": one value holds two tensors, at byte 18");
  CHECK(read(bytes(1, bytes(1, "a") + bytes(2, inner) + bytes(3, map_of({"", "", ""})))) ==
        "refused: f: tensor \"a\": one value holds two tensors, at byte 18");
  CHECK(read(bytes(1, bytes(3, "") + bytes(2, inner) + bytes(1, "a"))) ==
        "refused: f: one value holds two tensors, at byte 4");
}

TEST_CASE("ckpt reader refuses: a known field of the wrong wire type") {
  CHECK(read(good + number(1, 5)) == "refused: f: field value has wire type 0 instead of 2, at byte 19");
  CHECK(read(bytes(1, number(1, 5))) == "refused: f: field tag has wire type 0 instead of 2, at byte 2");
  CHECK(read(bytes(1, bytes(1, "a") + "\x15\0\0\0\0"s)) ==
        "refused: f: tensor \"a\": field tensor has wire type 5 instead of 2, at byte 5");
  CHECK(read(bytes(1, bytes(1, "a") + number(3, 5))) ==
        "refused: f: tensor \"a\": field maptensor has wire type 0 instead of 2, at byte 5");
  CHECK(read(value("a", "\x09"s + "12345678" + bytes(2, "Int8") + bytes(3, "1"))) ==
        "refused: f: tensor \"a\": field dims has wire type 1 instead of 0 or 2, at byte 7");
  CHECK(read(value("a", number(2, 5) + bytes(3, "1"))) ==
        "refused: f: tensor \"a\": field tensor_type has wire type 0 instead of 2, at byte 7");
  CHECK(read(value("a", bytes(2, "Int8") + "\x1b\x1c")) ==
        "refused: f: tensor \"a\": field tensor_content has wire type 3 instead of 2, at byte 13");
  CHECK(read(map("m", number(1, 5))) == "refused: f: map \"m\": field tensor has wire type 0 instead of 2, at byte 7");
}

TEST_CASE("ckpt reader refuses: a tensor without type or content") {
  CHECK(read(value("a", dims({1}) + bytes(3, "1"))) == "refused: f: tensor \"a\": tensor_type is missing, at byte 0");
  CHECK(read(good + value("b", dims({1}) + bytes(2, "Int8"))) ==
        "refused: f: tensor \"b\": tensor_content is missing, at byte 19");
  CHECK(read(value("a", "")) == "refused: f: tensor \"a\": tensor_type is missing, at byte 0");
}

TEST_CASE("ckpt reader refuses: packed dims that are cut short or pass 64 bits") {
  CHECK(read(value("a", bytes(1, "\2\x80") + bytes(2, "Int8") + bytes(3, "12"))) ==
        "refused: f: tensor \"a\": a packed dim is cut short or passes 64 bits, at byte 10");
  CHECK(read(value("a", bytes(1, std::string(9, '\xff') + "\2") + bytes(2, "Int8") + bytes(3, "12"))) ==
        "refused: f: tensor \"a\": a packed dim is cut short or passes 64 bits, at byte 9");
}

TEST_CASE("ckpt reader refuses: a map of other than three tensors") {
  CHECK(read(map("m", map_of({"1", "2"})))
            .starts_with("refused: f: map \"m\": a map is three tensors (keys, values, status), not 2, at byte 7"));
  CHECK(read(map("m", map_of({"1", "2", "3", "4"})))
            .starts_with("refused: f: map \"m\": a map is three tensors (keys, values, status), not 4, at byte 7"));
  CHECK(read(map("m", "")) == "refused: f: map \"m\": a map is three tensors (keys, values, status), not 0, at byte 7");
}

TEST_CASE("ckpt reader refuses: a map's tensor without type or content") {
  CHECK(read(map("m", bytes(1, dims({1}) + bytes(3, "1")))) ==
        "refused: f: map \"m\": tensor_type is missing, at byte 9");
  CHECK(read(map("m", bytes(1, tensor({1}, "int8", "1")) + bytes(1, dims({1}) + bytes(2, "int8")))) ==
        "refused: f: map \"m\": tensor_content is missing, at byte 22");
}

TEST_CASE("ckpt reader refuses: a map's tensor of an unknown type") {
  CHECK(read(map("m", bytes(1, tensor({1}, "Int8", "1")))) ==
        "refused: f: map \"m\": tensor_type \"Int8\" is unknown, at byte 13");
  CHECK(read(map("m", bytes(1, tensor({1}, "int\xff", "1")))) ==
        "refused: f: map \"m\": tensor_type is not UTF-8, at byte 13");
  CHECK(read(map("m", bytes(1, tensor({1}, "str", "1234")))) ==
        "refused: f: map \"m\": tensor_type \"str\" is unknown, at byte 13");
  CHECK(code_of(map("m", bytes(1, tensor({1}, "Int8", "1")))) == errc::unsupported);
}

TEST_CASE("ckpt reader refuses: a map's tensor whose content is not as long as its shape and type say") {
  const std::string keys = bytes(1, tensor({2}, "int32", "12345678"));
  const std::string values = bytes(1, tensor({2, 1}, "float16", "123"));
  const std::string status = bytes(1, tensor({2}, "int32", "12345678"));
  CHECK(read(map("m", keys + values + status)) ==
        "refused: f: map \"m\": float16[2,1] takes 4 bytes, its content has 3, at byte 45");
  CHECK(read(map("m", bytes(1, tensor({0}, "int8", "1")))) ==
        "refused: f: map \"m\": int8[0] takes 0 bytes, its content has 1, at byte 19");
  CHECK(code_of(map("m", keys + values + status)) == errc::malformed);
}

TEST_CASE("ckpt reader refuses: a later slice of a map as the first one") {
  const std::string first = map("m", map_of({"1", "2", "3"}));
  CHECK(read(first + map("m", bytes(1, tensor({2}, "int8", "1")))) ==
        "refused: f: map \"m\": int8[2] takes 2 bytes, its content has 1, at byte " +
            std::to_string(first.size() + 19));
}

TEST_CASE("ckpt reader refuses: a map's tensor of over 2^63 bytes, below zero, or with dims that are none") {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  CHECK(read(map("m", bytes(1, tensor({most, 2}, "int8", "1")))) ==
        "refused: f: map \"m\": int8[9223372036854775807,2] takes more than 2^63 - 1 bytes, at byte 9");
  CHECK(read(map("m", bytes(1, tensor({1}, "float4_e2m1", "1")))) ==
        "refused: f: map \"m\": float4_e2m1[1] ends inside a byte, at byte 9");
  CHECK(read(map("m", bytes(1, tensor({-1}, "int8", "1")))) ==
        "refused: f: map \"m\": dim -1 is below zero, at byte 9");
  CHECK(read(map("m", bytes(1, bytes(1, "\2\x80") + bytes(2, "int8") + bytes(3, "12")))) ==
        "refused: f: map \"m\": a packed dim is cut short or passes 64 bits, at byte 12");
  CHECK(read(map("m", bytes(1, "\x09"s + "12345678"))) ==
        "refused: f: map \"m\": field dims has wire type 1 instead of 0 or 2, at byte 9");
}

TEST_CASE("ckpt reader refuses: a map's tensor that is no message") {
  CHECK(read(map("m", bytes(1, "\x12\x09"s + "int8"))) ==
        "refused: f: map \"m\": field 2 says it has 9 bytes where 4 are left: it was cut short or damaged, at byte 9");
  CHECK(read(map("m", bytes(1, "\x0e"))) == "refused: f: map \"m\": wire type 6 does not exist, at byte 9");
}

TEST_CASE("ckpt reader refuses: field numbers above 2^29 - 1, and 0") {
  CHECK(read(good + varint(std::uint64_t{1} << 32U) + "\0"s) ==
        "refused: f: field number 536870912 is not one (1 to 536870911), at byte 19");
  CHECK(read(good + "\0\0"s) == "refused: f: field number 0 is not one (1 to 536870911), at byte 19");
  CHECK(read(value("a", varint(std::uint64_t{1} << 32U) + "\0"s + tensor({1}, "Int8", "1"))) ==
        "refused: f: tensor \"a\": field number 536870912 is not one (1 to 536870911), at byte 7");
}

TEST_CASE("ckpt reader refuses: groups nested deeper than 100, at every level") {
  const std::string why = "groups are nested deeper than 100, at byte ";
  CHECK(read(groups(101)) == "refused: f: " + why + "100");
  CHECK(read(value("a", groups(101) + tensor({1}, "Int8", "1"))).starts_with("refused: f: tensor \"a\": " + why));
  CHECK(read(map("m", groups(101) + map_of({"", "", ""}))).starts_with("refused: f: map \"m\": " + why));
}

TEST_CASE("ckpt reader refuses: what is no protobuf") {
  CHECK(read("\x0e") == "refused: f: wire type 6 does not exist, at byte 0");
  CHECK(read(bytes(1, "\x0f")) == "refused: f: wire type 7 does not exist, at byte 2");
  CHECK(read("\x3c") == "refused: f: the end of group 7 has no beginning, at byte 0");
  CHECK(read("\x0a\x05"s + "abc") ==
        "refused: f: field 1 says it has 5 bytes where 3 are left: it was cut short or damaged, at byte 0");
  CHECK(read("\x0a" + std::string(9, '\xff') + "\2") == "refused: f: the varint of a length passes 64 bits, at byte 1");
  CHECK(code_of("\x0a\x05"s + "abc") == errc::truncated);
}

TEST_CASE("ckpt reader refuses: a length that passes the message around it") {
  // The tag says 9 bytes; the file has them, the value does not.
  CHECK(read("\x0a\x03\x0a\x09\x61"s + "bcdefghij") ==
        "refused: f: field 1 says it has 9 bytes where 1 are left: it was cut short or damaged, at byte 2");
}

// Whatever the bytes.

namespace {

/// One of everything, and where its messages end.
struct sample_file {
  std::string bytes;
  std::set<std::size_t> boundaries{0};
  std::set<std::size_t> within_a_tensor;  // boundaries between the chunks of one

  void add(const std::string& message, bool more_chunks = false) {
    bytes += message;
    (more_chunks ? within_a_tensor : boundaries).insert(bytes.size());
  }
};

sample_file sample() {
  sample_file file;
  file.add(value("conv.weight", tensor({2, 3}, "Float16", "aabbccddeeff")));
  file.add(value("scalar", tensor({}, "Int64", "12345678")));
  file.add(text("note", U"d\u00eda"));
  file.add(value("cut", tensor({5}, "Int8", "12")), true);
  file.add(value("cut", tensor({5}, "Int8", "345")));
  file.add(bytes(1000, "padding"));
  file.add(value("packed", bytes(1, "\2\1") + bytes(2, "Bool") + bytes(1000, "pad") + bytes(3, "\0\1"s)));
  file.add(map("table", map_of({"12", "34", "56"})));
  file.add(value("empty", tensor({0, 3}, "Float32", "")));
  return file;
}

/// Whether what was accepted can be: every extent in the file, every tensor as large as it says.
bool is_sound(const file_index& index) {
  for (const index_entry& entry : index) {
    std::uint64_t size = 0;
    for (const extent& part : entry.extents()) {
      if (part.offset > index.file_size() || part.size > index.file_size() - part.offset) return false;
      size += part.size;
    }
    if (entry.kind() == entry_kind::tensor && content_size(entry.type(), entry.shape()) != size) return false;
    if (index.find(entry.name()) != &entry) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("ckpt reader: a file cut short at every byte is refused, or is the whole of fewer messages") {
  sample_file file = sample();
  const std::string whole = read(file.bytes);
  REQUIRE(whole.find("empty float32[0,3]") != std::string::npos);
  for (const std::string_view ending : {""s, trailer}) {
    const std::string all = file.bytes + std::string(ending);
    for (std::size_t size = 0; size < all.size(); ++size) {
      INFO(size);
      const std::string_view cut = std::string_view(all).substr(0, size);
      const std::string said = read(cut);
      if (file.boundaries.contains(size)) CHECK(whole.starts_with(said));
      else CHECK(said.starts_with("refused: f: "));
    }
  }
}

TEST_CASE("ckpt reader: with any one byte changed a file is refused or sound") {
  const std::string original = sample().bytes + trailer;
  int unsound = 0;
  int different = 0;
  for (std::size_t at = 0; at < original.size(); ++at)
    for (int change = 1; change < 256; ++change) {
      std::string file = original;
      file[at] = static_cast<char>(file[at] ^ change);
      try {
        if (!is_sound(mindspore_reader(memory_source(support::bytes(file), "f"), "ckpt").read())) ++unsound;
      } catch (const format_error&) {
      }
      const bool is_power = (change & (change - 1)) == 0;
      if (is_power && read_from(read_only_source(file)) != read_memory(file)) ++different;
    }
  CHECK(unsound == 0);
  CHECK(different == 0);
}

TEST_CASE("ckpt reader: random bytes are refused or sound") {
  support::numbers random(21);
  int unsound = 0;
  for (int round = 0; round < 5000; ++round) {
    std::string file(random.below(60), '\0');
    for (char& byte : file) byte = static_cast<char>(random.below(3) == 0 ? random.next() : 8 + random.below(24));
    try {
      if (!is_sound(mindspore_reader(memory_source(support::bytes(file), "f"), "ckpt").read())) ++unsound;
    } catch (const format_error&) {
    }
  }
  CHECK(unsound == 0);
}

// Memory: never beyond what the bytes of the file can fill.

namespace {

/// The largest piece of memory asked for while a file is read.
std::size_t largest_piece(std::string_view file, bool in_memory) {
  std::size_t largest = 0;
  const memory_source memory(support::bytes(file), "f");
  const support::unmapped_source by_pread = read_only_source(file);
  const source& from = in_memory ? static_cast<const source&>(memory) : by_pread;
  largest_allocation = &largest;
  try {
    (void)mindspore_reader(from, "ckpt").read();
  } catch (const format_error&) {
  }
  largest_allocation = nullptr;
  return largest;
}

}  // namespace

TEST_CASE("ckpt reader: a few bytes cannot make it ask for much memory") {
  constexpr std::int64_t huge = std::int64_t{1} << 50;
  const std::string first = value("a", tensor({huge}, "Float32", "1"));
  for (const std::string& file :
       {first, first + first, bytes(1, bytes(1, "a") + "\x12\xff\xff\xff\xff\x0f"), "\x0a\xff\xff\xff\xff\xff\xff\x7f"s,
        value("a", bytes(1, "\2\2") + "\x12\xff\xff\xff\x7f"), text("s", U"ab"), map("m", map_of({"", "", ""})),
        value("a", tensor({huge, 0}, "Float32", ""))}) {
    INFO(support::hex(file));
    CHECK(largest_piece(file, true) <= 8192);
    CHECK(largest_piece(file, false) <= 8192);
  }
}

TEST_CASE("ckpt reader: memory grows with what was read, not with what the file's size promises") {
  std::string file;
  for (int i = 0; i < 64; ++i) file += int8(std::to_string(i), "1");
  file += bytes(1000, std::string(10'000'000, 'x'));  // as if a million entries more were to come
  CHECK(largest_piece(file, true) <= 200'000);
}

TEST_CASE("ckpt reader: many entries") {
  std::string file;
  for (int i = 0; i < 3000; ++i)
    file += int8("layer." + std::to_string(i) + ".weight", std::string(i % 7 == 0 ? 3000 : 3, 'x'));
  const memory_source from(support::bytes(file), "f");
  const file_index index = mindspore_reader(from, "ckpt").read();
  CHECK(index.size() == 3000);
  CHECK(is_sound(index));
  CHECK(describe(index) == read_from(read_only_source(file)));
}
