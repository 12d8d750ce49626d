#include <ckpt/json/scan.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>

using namespace ckpt;

namespace {

static_assert(find_json_special("plain \xc3\xad\x7f") == 9 && find_json_special("a\"b\\c\n", 2) == 3);

}  // namespace

TEST_CASE("scan: a special character is found wherever it stands among the eight that are looked at together") {
  for (const char special : {'"', '\\', '\n', '\0', '\x1f'}) {
    for (std::size_t at = 0; at < 20; ++at) {
      std::string text(20, 'x');
      text[at] = special;
      CHECK(find_json_special(text) == at);
      CHECK(find_json_special(text, at + 1) == text.size());
    }
  }
}

TEST_CASE("scan: a byte as errors show it") {
  CHECK(detail::show_byte('x') == "'x'");
  CHECK(detail::show_byte(' ') == "byte 0x20");
  CHECK(detail::show_byte('\n') == "byte 0x0a");
  CHECK(detail::show_byte('\xff') == "byte 0xff");
}
