#include <ckpt/json/writer.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace ckpt;

namespace {

constexpr bool writes_string(std::string_view text, std::string_view literal) noexcept {
  char to[64] = {};
  const char* const end = write_json_string(to, text);
  return std::string_view(to, static_cast<std::size_t>(end - to)) == literal &&
         json_string_size(text) == literal.size();
}

constexpr bool writes_number(std::uint64_t value, std::string_view literal) noexcept {
  char to[20] = {};
  const char* const end = write_json_number(to, value);
  return std::string_view(to, static_cast<std::size_t>(end - to)) == literal &&
         json_number_size(value) == literal.size();
}

static_assert(writes_string("", "\"\"") && writes_string("conv1.weight", "\"conv1.weight\""));
static_assert(writes_string("a\"b\\c/", "\"a\\\"b\\\\c/\""));
static_assert(writes_string("\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""));
static_assert(writes_string(std::string_view("\0\x1f\x7f", 3), "\"\\u0000\\u001f\x7f\""));
static_assert(writes_string("n\xc3\xb3n", "\"n\xc3\xb3n\""));
static_assert(writes_number(0, "0") && writes_number(9, "9") && writes_number(10, "10") &&
              writes_number(~std::uint64_t{0}, "18446744073709551615"));

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string decimal(std::uint64_t value) {
  std::string out;
  append_json_number(out, value);
  return out;
}

}  // namespace

TEST_CASE("json writer: text without special characters is copied between quotes") {
  CHECK(quoted("") == R"("")");
  CHECK(quoted("conv1.weight") == R"("conv1.weight")");
  CHECK(quoted("d\xc3\xad"
               "a \xf0\x9f\x98\x80 \x7f /") ==
        "\"d\xc3\xad"
        "a \xf0\x9f\x98\x80 \x7f /\"");
}

TEST_CASE("json writer: quote, backslash and the five named controls take two characters") {
  CHECK(quoted("\"\\") == R"("\"\\")");
  CHECK(quoted("\b\f\n\r\t") == R"("\b\f\n\r\t")");
}

TEST_CASE("json writer: every other control character is written as \\u00xx in lower case") {
  for (unsigned value = 0; value < 0x20; ++value) {
    const char c = static_cast<char>(value);
    if (std::string_view("\b\f\n\r\t").find(c) != std::string_view::npos) continue;
    const std::string expected = std::string("\"\\u00") + "01"[value >> 4] + "0123456789abcdef"[value & 15] + '"';
    CHECK(quoted(std::string_view(&c, 1)) == expected);
  }
}

TEST_CASE("json writer: a special character is found wherever it lies relative to the eight bytes read at a time") {
  for (const char special : {'"', '\\', '\n', '\0', '\x1f'})
    for (std::size_t size = 1; size < 30; ++size)
      for (std::size_t at = 0; at < size; ++at) {
        std::string text(size, '\xc3');
        text[at] = special;
        REQUIRE(find_json_special(text) == at);
        REQUIRE(find_json_special(text, at + 1) == size);
        REQUIRE(quoted(text).size() == json_string_size(text));
      }
}

TEST_CASE("json writer: no byte but the special ones is taken for one") {
  for (unsigned value = 0; value < 0x100; ++value) {
    const std::string text(16, static_cast<char>(value));
    const bool special = value < 0x20 || value == '"' || value == '\\';
    CHECK(find_json_special(text) == (special ? 0u : 16u));
  }
}

TEST_CASE("json writer: strings and numbers are appended behind what is there") {
  std::string out = "{";
  append_json_string(out, "a\n");
  out += ':';
  append_json_number(out, 10);
  CHECK(out == "{\"a\\n\":10");
}

TEST_CASE("json writer: numbers are decimal without leading zeros") {
  CHECK(decimal(0) == "0");
  std::uint64_t power = 1;
  for (std::size_t digits = 1; digits <= 20; ++digits) {
    CHECK(decimal(power) == std::to_string(power));
    CHECK(decimal(power - 1) == std::to_string(power - 1));
    CHECK(json_number_size(power) == digits);
    power *= 10;
  }
  CHECK(decimal(~std::uint64_t{0}) == "18446744073709551615");
}
