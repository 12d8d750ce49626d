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
  const std::string_view text = "x \n\xff";
  const char* const end = text.data() + text.size();
  CHECK(detail::found_at(text.data(), end) == "'x'");
  CHECK(detail::found_at(text.data() + 1, end) == "byte 0x20");
  CHECK(detail::found_at(text.data() + 2, end) == "byte 0x0a");
  CHECK(detail::found_at(text.data() + 3, end) == "byte 0xff");
  CHECK(detail::found_at(end, end) == "the end of the text");
}
