#include <ckpt/io/temporary_name.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>

using namespace ckpt;

static_assert(target_of_temporary(".net-1_2.ckpt.0123456789abcdef.tmp") == "net-1_2.ckpt");
static_assert(target_of_temporary("..0123456789abcdef.0123456789abcdef.tmp") == ".0123456789abcdef");
static_assert(target_of_temporary("..0123456789abcdef.tmp").empty());
static_assert(target_of_temporary("net-1_2.ckpt.0123456789abcdef.tmp").empty());
static_assert(target_of_temporary(".net-1_2.ckpt.0123456789abcde.tmp").empty());
static_assert(target_of_temporary(".net-1_2.ckpt.0123456789abcdeF.tmp").empty());
static_assert(target_of_temporary(".net-1_2.ckpt.0123456789abcdef.tm").empty());
static_assert(target_of_temporary(".net-1_2.ckpt_0123456789abcdef.tmp").empty());
static_assert(target_of_temporary("").empty());

TEST_CASE("temporary_name: says its target, of which a long one is cut, but not within a character") {
  constexpr std::byte random[8] = {std::byte{0x01}, std::byte{0x23}, std::byte{0x45}, std::byte{0x67},
                                   std::byte{0x89}, std::byte{0xab}, std::byte{0xcd}, std::byte{0xef}};
  const std::string name = temporary_name("net-1_2.ckpt", random, 255);
  CHECK(name == ".net-1_2.ckpt.0123456789abcdef.tmp");
  CHECK(target_of_temporary(name) == "net-1_2.ckpt");
  CHECK(temporary_name("abcd", random, 26) == ".abcd.0123456789abcdef.tmp");
  CHECK(temporary_name("abcd", random, 25) == ".abc.0123456789abcdef.tmp");
  CHECK(temporary_name("ab\u00e9", random, 25) == ".ab.0123456789abcdef.tmp");
  CHECK(temporary_name("abcd", random, 5) == "..0123456789abcdef.tmp");
}
