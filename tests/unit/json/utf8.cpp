#include <ckpt/json/utf8.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace ckpt;

namespace {

constexpr bool encodes_as(char32_t code_point, std::string_view bytes) noexcept {
  char to[4] = {};
  const std::string_view written(to, encode_utf8(code_point, to));
  const utf8_character read = decode_utf8(bytes);
  return written == bytes && (bytes.empty() || (read.code_point == code_point && read.size == bytes.size()));
}

static_assert(encodes_as(U'\0', std::string_view("\0", 1)) && encodes_as(0x7f, "\x7f"));
static_assert(encodes_as(0x80, "\xc2\x80") && encodes_as(0x7ff, "\xdf\xbf"));
static_assert(encodes_as(0x800, "\xe0\xa0\x80") && encodes_as(0xffff, "\xef\xbf\xbf"));
static_assert(encodes_as(0x10000, "\xf0\x90\x80\x80") && encodes_as(0x10ffff, "\xf4\x8f\xbf\xbf"));
static_assert(encodes_as(0xd7ff, "\xed\x9f\xbf") && encodes_as(0xe000, "\xee\x80\x80"));
static_assert(encodes_as(0xd800, "") && encodes_as(0xdfff, "") && encodes_as(0x110000, ""));
static_assert(first_invalid_utf8("n\xc3\xb3n\xff") == 4 && is_utf8("n\xc3\xb3n") && !is_utf8("\xed\xa0\x80"));

}  // namespace

TEST_CASE("utf8: every code point is encoded and decoded back; surrogates and what lies past the end are not") {
  for (char32_t point = 0; point < 0x110100; ++point) {
    char to[4] = {};
    const std::size_t size = encode_utf8(point, to);
    const bool allowed = point < 0xd800 || (point >= 0xe000 && point < 0x110000);
    if (!allowed) {
      REQUIRE(size == 0);
      continue;
    }
    REQUIRE(size == (point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4));
    const utf8_character read = decode_utf8({to, size});
    REQUIRE(read.code_point == point);
    REQUIRE(read.size == size);
    for (std::size_t cut = 0; cut < size; ++cut) REQUIRE(decode_utf8({to, cut}).size == 0);
  }
}

TEST_CASE("utf8: an ill-formed sequence is found at its first byte") {
  CHECK(first_invalid_utf8("\x80") == 0);              // a continuation on its own
  CHECK(first_invalid_utf8("a\xc0\x80") == 1);         // U+0000 in two bytes
  CHECK(first_invalid_utf8("ab\xc1\xbf") == 2);        // U+007F in two bytes
  CHECK(first_invalid_utf8("\xe0\x9f\xbf") == 0);      // U+07FF in three
  CHECK(first_invalid_utf8("\xed\xa0\x80") == 0);      // a surrogate
  CHECK(first_invalid_utf8("\xf0\x8f\xbf\xbf") == 0);  // U+FFFF in four
  CHECK(first_invalid_utf8("\xf4\x90\x80\x80") == 0);  // U+110000
  CHECK(first_invalid_utf8("\xf5\x80\x80\x80") == 0);
  CHECK(first_invalid_utf8("\xff") == 0);
  CHECK(first_invalid_utf8("\xc3(") == 0);          // the second byte missing
  CHECK(first_invalid_utf8("\xe2\x82(") == 0);      // the third
  CHECK(first_invalid_utf8("\xf0\x9f\x98(") == 0);  // the fourth
  CHECK(first_invalid_utf8("ok \xe2\x82") == 3);    // cut off
}

TEST_CASE("utf8: a bad byte is found wherever it lies relative to the eight bytes read at a time") {
  for (std::size_t size = 1; size < 40; ++size) {
    std::string text(size, 'x');
    REQUIRE(is_utf8(text));
    for (std::size_t at = 0; at < size; ++at) {
      text[at] = '\xfe';
      REQUIRE(first_invalid_utf8(text) == at);
      text[at] = 'x';
    }
  }
}

TEST_CASE("utf8: the empty text, a NUL and characters of every length are UTF-8") {
  CHECK(is_utf8(""));
  CHECK(is_utf8(std::string_view("\0", 1)));
  CHECK(is_utf8("x \xc3\xad \xe2\x82\xac \xf0\x9f\x98\x80"));
  CHECK(decode_utf8("").size == 0);
}

TEST_CASE("utf8: code points are counted, not bytes") {
  CHECK(count_code_points("") == 0);
  CHECK(count_code_points("d\xc3\xad"
                          "a") == 3);
  CHECK(count_code_points("\xe2\x82\xac\xf0\x9f\x98\x80") == 2);
}
