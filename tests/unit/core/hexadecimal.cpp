#include <ckpt/core/hexadecimal.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>

TEST_CASE("append_hexadecimal: after what is there, two small digits a byte") {
  std::string text = "0x";
  ckpt::append_hexadecimal(text, std::array{std::byte{0x00}, std::byte{0x9a}, std::byte{0xff}});
  CHECK(text == "0x009aff");
  ckpt::append_hexadecimal(text, {});
  CHECK(text == "0x009aff");
}
