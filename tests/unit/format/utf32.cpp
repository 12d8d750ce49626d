#include <ckpt/format/utf32.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "../support.hpp"

using namespace ckpt;

namespace {

std::string written(std::string_view text) {
  std::vector<std::byte> to(static_cast<std::size_t>(utf32_size(text)));
  write_utf32(text, to.data());
  return support::hex(to);
}

std::string as_utf8(std::uint32_t code_point) {
  std::string out = "x";
  append_utf8(out, code_point);
  return support::hex(out.substr(1));
}

}  // namespace

TEST_CASE("utf32: four bytes for each character, the empty text one zero") {
  CHECK(written("") == "00000000");
  CHECK(written("a") == "61000000");
  CHECK(written("d\u00eda") == "64000000ed00000061000000");
  CHECK(written("\u20ac\U0001f600\U0010ffff") == "ac20000000f60100ffff1000");
  CHECK(written(std::string_view("\0", 1)) == "00000000");
}

TEST_CASE("utf32: appended as UTF-8, of every size") {
  CHECK(as_utf8(0) == "00");
  CHECK(as_utf8(0x7f) == "7f");
  CHECK(as_utf8(0x80) == "c280");
  CHECK(as_utf8(0x20ac) == "e282ac");
  CHECK(as_utf8(0xffff) == "efbfbf");
  CHECK(as_utf8(0x10000) == "f0908080");
  CHECK(as_utf8(0x10ffff) == "f48fbfbf");
}

TEST_CASE("utf32: a surrogate as the three bytes it would take") {
  CHECK(as_utf8(0xd800) == "eda080");
  CHECK(as_utf8(0xdfff) == "edbfbf");
  CHECK(as_utf8(0xd7ff) == "ed9fbf");
  CHECK(as_utf8(0xe000) == "ee8080");
}

TEST_CASE("utf32: every code point there is comes back") {
  int wrong = 0;
  for (std::uint32_t code_point = 0; code_point <= 0x10ffff; code_point += code_point < 0x3000 ? 1 : 97) {
    if (code_point >= 0xd800 && code_point < 0xe000) continue;
    std::string text;
    append_utf8(text, code_point);
    std::byte to[4];
    if (utf32_size(text) != 4) ++wrong;
    write_utf32(text, to);
    if (load_le<std::uint32_t>(to) != code_point) ++wrong;
  }
  CHECK(wrong == 0);
}
