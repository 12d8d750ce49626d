#include <ckpt/core/sequence.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

using ckpt::sequence;

namespace {

struct thing {
  int number = 0;
};

int sum(sequence<thing> things) {
  int total = 0;
  for (const thing& each : things) total += each.number;
  return total;
}

std::size_t count(std::span<const thing> things) { return things.size(); }

static_assert(!std::is_convertible_v<std::vector<int>, sequence<thing>>);
static_assert(!std::is_convertible_v<std::string, sequence<thing>>);
static_assert(!std::is_convertible_v<thing, sequence<thing>>);

}  // namespace

TEST_CASE("sequence: nothing") {
  const sequence<thing> none;
  CHECK(none.empty());
  CHECK(none.size() == 0);
  CHECK(none.begin() == none.end());
  CHECK(none.data() == nullptr);
}

TEST_CASE("sequence: elements where they lie") {
  const thing two[] = {{1}, {2}};
  const sequence<thing> all(two, 2);
  CHECK(!all.empty());
  CHECK(all.size() == 2);
  CHECK(all.data() == two);
  CHECK(&all.front() == two);
  CHECK(&all[1] == two + 1);
  CHECK(sum(all) == 3);
  CHECK(&all.back() == two + 1);
  CHECK(sum(two) == 3);
  CHECK(sum({two, 1}) == 1);
  CHECK(sum(all.first(1)) == 1);
  CHECK(sum(all.subspan(1)) == 2);
  CHECK(all.subspan(2).empty());
}

TEST_CASE("sequence: of whatever has data and size, and itself passes as a span") {
  std::vector<thing> things{{1}, {2}, {3}};
  CHECK(sum(things) == 6);
  CHECK(sum(std::array<thing, 1>{{{4}}}) == 4);
  CHECK(sum(std::span<thing>(things).first(2)) == 3);
  CHECK(sum(std::span<const thing>(things).last(2)) == 5);
  CHECK(count(sequence<thing>(things)) == 3);
  const std::span<const thing> same = sequence<thing>(things).subspan(1).span();
  CHECK(same.data() == things.data() + 1);
  CHECK(same.size() == 2);
}
