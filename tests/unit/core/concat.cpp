#include <ckpt/core/concat.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using ckpt::concat;

TEST_CASE("concat: the parts one after the other, whatever they are made of") {
  const std::string owned = "two";
  CHECK(concat({"one ", owned, " ", std::to_string(3), std::string_view(" four!").substr(0, 5)}) == "one two 3 four");
}

TEST_CASE("concat: nothing, empty parts and NUL bytes") {
  CHECK(concat({}).empty());
  CHECK(concat({"", std::string_view(), ""}).empty());
  CHECK(concat({std::string_view("a\0", 2), "b"}) == std::string("a\0b", 3));
}
