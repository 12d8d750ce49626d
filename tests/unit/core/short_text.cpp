#include <ckpt/core/short_text.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace ckpt;

static_assert(short_text().view().empty());
static_assert(short_text().add("cannot reserve ").add(18446744073709551615U).add(" bytes").view() ==
              "cannot reserve 18446744073709551615 bytes");
static_assert(short_text().add(0).view() == "0");
static_assert(short_text().add(0644, 8, 3).view() == "644");
static_assert(short_text().add(07, 8, 3).view() == "007");
static_assert(short_text().add(04755, 8, 3).view() == "4755");

TEST_CASE("short_text: leaves out what does not fit") {
  const std::string long_text(500, 'x');
  CHECK(short_text().add("a").add(long_text).add("b").view() == "a" + std::string(119, 'x'));
}
