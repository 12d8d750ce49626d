#include <ckpt/core/excerpt.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace ckpt;

static_assert(excerpt("").empty());
static_assert(excerpt("abc", 3) == "abc");
static_assert(excerpt("abcd", 3) == "abc");
static_assert(excerpt("ab\u00e9", 4) == "ab\u00e9");
static_assert(excerpt("ab\u00e9", 3) == "ab");          // not within a character
static_assert(excerpt("\xa9\xa9\xa9\xa9", 3).empty());  // nor where there is none

TEST_CASE("excerpt: 64 bytes, unless another number is asked for") {
  CHECK(excerpt(std::string(100, 'x')).size() == 64);
}
