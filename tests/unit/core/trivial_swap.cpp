#include <ckpt/core/trivial_swap.hpp>

#include <doctest/doctest.h>

using namespace ckpt;

namespace {

struct pair_of_numbers {
  int a;
  double b;
};

constexpr bool swaps_when_compiled() {
  int a = 1;
  int b = 2;
  trivial_swap(a, b);
  return a == 2 && b == 1;
}
static_assert(swaps_when_compiled());

}  // namespace

TEST_CASE("trivial_swap: exchanges two values") {
  pair_of_numbers x{1, 2};
  pair_of_numbers y{3, 4};
  trivial_swap(x, y);
  CHECK(x.a == 3);
  CHECK(x.b == 4);
  CHECK(y.a == 1);
  CHECK(y.b == 2);
}

TEST_CASE("trivial_swap: a value with itself") {
  int value = 7;
  trivial_swap(value, value);
  CHECK(value == 7);
}
