#include <ckpt/io/random.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "../support.hpp"

using namespace ckpt;

TEST_CASE("fill_random: all of it, and never the same") {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    std::vector<std::byte> to(700);  // more than one call of the system gives
    fill_random(to, "f");
    seen.insert(support::text(std::span(to).last(16)));
    seen.insert(support::text(std::span(to).first(16)));
  }
  CHECK(seen.size() == 200);
  fill_random({}, "f");
}
