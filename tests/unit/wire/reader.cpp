#include <ckpt/wire/reader.hpp>

#include <doctest/doctest.h>

#include <cstring>
#include <memory>
#include <set>
#include <string>

#include "../support.hpp"

using namespace ckpt::wire;
using ckpt::errc;
using ckpt::format_error;

namespace {

/// All bytes at once.
struct whole_window {
  std::span<const std::byte> bytes;
  [[nodiscard]] std::span<const std::byte> at(std::uint64_t offset, std::size_t) const {
    return offset < bytes.size() ? bytes.subspan(static_cast<std::size_t>(offset)) : std::span<const std::byte>();
  }
};

/// No byte more than asked for, in memory of its own that is gone with the next look.
struct passing_window {
  std::span<const std::byte> bytes;
  std::unique_ptr<std::byte[]> now{};
  [[nodiscard]] std::span<const std::byte> at(std::uint64_t offset, std::size_t want) {
    if (offset >= bytes.size()) return {};
    const auto from = bytes.subspan(static_cast<std::size_t>(offset));
    const std::size_t size = want < from.size() ? want : from.size();
    now = std::make_unique<std::byte[]>(size);
    std::memcpy(now.get(), from.data(), size);
    return {now.get(), size};
  }
};

static_assert(byte_window<whole_window> && byte_window<passing_window>);

/// What the reader says of the fields of a message: `1:5 2:[4,6) 3:skipped`.
template <class Window>
std::string fields_of(Window window, payload_range message) {
  std::string out;
  const auto say = [&](const std::string& word) { out.append(out.empty() ? "" : " ").append(word); };
  try {
    reader<Window> r(window, "f", message);
    while (r.next()) {
      static_cast<void>(window.at(0, 1));  // others look elsewhere in between
      const std::string number = std::to_string(r.number());
      if (r.type() == wire_type::varint) {
        say(number + ":" + std::to_string(r.varint()));
      } else if (r.type() == wire_type::length_delimited) {
        const payload_range range = r.payload();
        say(number + ":[" + std::to_string(range.begin) + "," + std::to_string(range.end()) + ")");
      } else {
        r.skip();
        say(number + ":skipped");
      }
      static_cast<void>(window.at(0, 1));
    }
    say("end " + std::to_string(r.position()));
    if (r.field_offset() != message.end()) say("field " + std::to_string(r.field_offset()));
  } catch (const format_error& e) {
    say(e.what());
  }
  return out;
}

std::string fields(std::string_view digits, std::uint64_t begin = 0, std::uint64_t behind = 0) {
  const std::string raw = support::unhex(digits);
  const payload_range message{begin, raw.size() - behind - begin};
  const std::string stable = fields_of(whole_window{support::bytes(raw)}, message);
  CHECK(fields_of(passing_window{support::bytes(raw)}, message) == stable);
  return stable;
}

/// The same when every field is passed over.
std::string skipped(std::string_view raw) {
  std::string out = "passed";
  const auto run = [&](auto window) {
    std::string result = "passed";
    try {
      reader<decltype(window)> r(window, "f", {0, raw.size()});
      while (r.next()) {
        const std::uint64_t start = r.field_offset();
        r.skip();
        if (r.field_offset() != start) result = "the field begins elsewhere";
        static_cast<void>(window.at(0, 1));
      }
      if (r.position() != raw.size()) result = "stopped";
    } catch (const format_error& e) {
      result = e.what();
    }
    return result;
  };
  out = run(whole_window{support::bytes(raw)});
  CHECK(run(passing_window{support::bytes(raw)}) == out);
  return out;
}

std::string nested(std::size_t depth) {
  return std::string(depth, '\x0b') + std::string(depth, '\x0c');  // groups of field 1
}

}  // namespace

TEST_CASE("reader: fields one after the other") {
  CHECK(fields("0805 1202 ffff 08ac02") == "1:5 2:[4,6) 1:300 end 9");
  CHECK(fields("") == "end 0");
  CHECK(fields("1200") == "2:[2,2) end 2");
}

TEST_CASE("reader: only the bytes of its message") {
  CHECK(fields("ffff 0805 ff", 2, 1) == "1:5 end 4");
  CHECK(fields("ffff ff", 2, 1) == "end 2");
}

TEST_CASE("reader: fields of every wire type are passed over") {
  CHECK(fields("09 0102030405060708 0d 01020304 0b 0c 1801") == "1:skipped 1:skipped 1:skipped 3:1 end 18");
  CHECK(skipped(support::unhex("08ff01 09 0102030405060708 0a03 616263 0b 0801 0c 0d 01020304")) == "passed");
}

TEST_CASE("reader: keys and lengths longer than needed") {
  CHECK(fields("8880808080808080 8000 05") == "1:5 end 11");
  CHECK(fields("92808000 8180 00 ff") == "2:[7,8) end 8");
}

TEST_CASE("reader: the highest field number") { CHECK(fields("f8ffffff0f 07") == "536870911:7 end 6"); }

TEST_CASE("reader refuses: field number 0") {
  CHECK(fields("0801 00") == "1:1 f: field number 0 is not one (1 to 536870911), at byte 2");
  CHECK(fields("05 01020304") == "f: field number 0 is not one (1 to 536870911), at byte 0");
}

TEST_CASE("reader refuses: field numbers above 2^29 - 1") {
  CHECK(fields("8080808010 01") == "f: field number 536870912 is not one (1 to 536870911), at byte 0");
  CHECK(fields("f8ffffffffffffffff01 01") ==
        "f: field number 2305843009213693951 is not one (1 to 536870911), at byte 0");
}

TEST_CASE("reader refuses: wire types 6 and 7") {
  CHECK(fields("0801 0e") == "1:1 f: wire type 6 does not exist, at byte 2");
  CHECK(fields("0f") == "f: wire type 7 does not exist, at byte 0");
}

TEST_CASE("reader refuses: varints past 64 bits, and of eleven bytes") {
  CHECK(fields("08 ffffffffffffffffff02") == "f: the varint of a value passes 64 bits, at byte 1");
  CHECK(fields("08 8080808080808080808000") == "f: the varint of a value passes 64 bits, at byte 1");
  CHECK(fields("80808080808080808080 00") == "f: the varint of a key passes 64 bits, at byte 0");
  CHECK(fields("12 ffffffffffffffffff7f") == "f: the varint of a length passes 64 bits, at byte 1");
}

TEST_CASE("reader refuses: varints that are cut short") {
  CHECK(fields("88") == "f: the varint of a key is cut short, at byte 0");
  CHECK(fields("08") == "f: the varint of a value is cut short, at byte 1");
  CHECK(fields("0880") == "f: the varint of a value is cut short, at byte 1");
  CHECK(fields("12") == "f: the varint of a length is cut short, at byte 1");
}

TEST_CASE("reader refuses: a varint that goes on behind the message") {
  CHECK(fields("0880 01", 0, 1) == "f: the varint of a value is cut short, at byte 1");
  CHECK(fields("08 8080808080808080808001", 0, 1) == "f: the varint of a value passes 64 bits, at byte 1");
}

TEST_CASE("reader refuses: a payload longer than what is left") {
  CHECK(fields("1203 6162") ==
        "f: field 2 says it has 3 bytes where 2 are left: it was cut short or damaged, at byte 0");
  CHECK(fields("0801 1203 616263", 0, 1) ==
        "1:1 f: field 2 says it has 3 bytes where 2 are left: it was cut short or damaged, at byte 2");
  CHECK(fields("12 ffffffffffffffffff01") ==
        "f: field 2 says it has 18446744073709551615 bytes where 0 are left: it was cut short or damaged, at byte 0");
}

TEST_CASE("reader refuses: fixed numbers that are cut short") {
  CHECK(fields("0d 010203") == "f: field 1 is cut short, at byte 0");
  CHECK(fields("0801 09 01020304050607") == "1:1 f: field 1 is cut short, at byte 2");
  CHECK(fields("0d 01020304", 0, 1) == "f: field 1 is cut short, at byte 0");
}

TEST_CASE("reader: groups nested 100 deep, and no deeper") {
  CHECK(skipped(nested(1)) == "passed");
  CHECK(skipped(nested(100)) == "passed");
  CHECK(skipped(nested(101)) == "f: groups are nested deeper than 100, at byte 100");
  CHECK(skipped(nested(1'000'000)) == "f: groups are nested deeper than 100, at byte 100");
}

TEST_CASE("reader: many groups side by side") {
  std::string groups;
  for (int i = 0; i < 1000; ++i) groups += nested(100);
  CHECK(skipped(groups) == "passed");
}

TEST_CASE("reader: fields of all kinds within a group") {
  CHECK(fields("13 08ff01 09 0102030405060708 1a01 7a 23 0801 24 0d 01020304 14 0807") == "2:skipped 1:7 end 28");
}

TEST_CASE("reader refuses: the end of a group that was not begun") {
  CHECK(fields("0c") == "f: the end of group 1 has no beginning, at byte 0");
  CHECK(fields("0b 0c 0c") == "1:skipped f: the end of group 1 has no beginning, at byte 2");
}

TEST_CASE("reader refuses: the end of another group") {
  CHECK(fields("0b 14") == "f: the end of group 2 has no beginning, at byte 1");
  CHECK(fields("0b 13 0c 14") == "f: the end of group 1 has no beginning, at byte 2");
}

TEST_CASE("reader refuses: a group without end") {
  CHECK(fields("0801 0b 0801") == "1:1 f: group 1 has no end, at byte 2");
  CHECK(fields("0b 13 14") == "f: group 1 has no end, at byte 0");
  CHECK(fields("0b 13 0c", 0, 1) == "f: group 2 has no end, at byte 0");
}

TEST_CASE("reader: a message cut short at every byte ends or is refused, and never read past its end") {
  const std::string whole =
      support::unhex("08ff01 8a8000 03 616263 09 0102030405060708 13 1a01 7a 0d 01020304 14 f8ffffff0f 05");
  const std::set<std::size_t> ends{0, 3, 10, 19, 29, 35};  // between two fields
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    INFO(size);
    const std::string cut = whole.substr(0, size);
    CHECK((skipped(cut) == "passed") == ends.contains(size));
  }
}

TEST_CASE("reader: errors carry code, file and byte") {
  const std::string raw = support::unhex("0801 1203 61");
  whole_window window{support::bytes(raw)};
  reader<whole_window> r(window, "model.ckpt", {0, raw.size()});
  r.next();
  r.skip();
  r.next();
  const auto e = support::error_of<format_error>([&] { r.payload(); });
  CHECK(e.code() == errc::truncated);
  CHECK(e.path() == "model.ckpt");
  CHECK(e.offset() == 2);
}
