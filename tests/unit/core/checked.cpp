#include <ckpt/core/checked.hpp>

#include <doctest/doctest.h>

using namespace ckpt;

namespace {

static_assert(checked_add(1, 2) == 3);
static_assert(!checked_add(~std::uint64_t{0}, 1));
static_assert(!checked_mul(std::uint64_t{1} << 32, std::uint64_t{1} << 32));
static_assert(round_up(0, 8) == 0 && round_up(1, 8) == 8 && round_up(8, 8) == 8);

constexpr std::uint64_t most = ~std::uint64_t{0};

}  // namespace

TEST_CASE("checked_add: up to 2^64 - 1 and not past it") {
  CHECK(checked_add(0, 0) == 0);
  CHECK(checked_add(most, 0) == most);
  CHECK(checked_add(most - 5, 5) == most);
  CHECK(!checked_add(most - 5, 6));
  CHECK(!checked_add(most, most));
}

TEST_CASE("checked_mul: up to 2^64 - 1 and not past it") {
  CHECK(checked_mul(0, most) == 0);
  CHECK(checked_mul(most, 1) == most);
  CHECK(checked_mul(6700417, 2753074036095) == most);  // its factors
  CHECK(!checked_mul(6700417, 2753074036096));
  CHECK(!checked_mul(most, 2));
  CHECK(checked_mul(std::uint64_t{1} << 31, std::uint64_t{1} << 32) == std::uint64_t{1} << 63);
}

TEST_CASE("round_up: the next multiple, or the number itself") {
  CHECK(round_up(0, 64) == 0);
  CHECK(round_up(1, 64) == 64);
  CHECK(round_up(63, 64) == 64);
  CHECK(round_up(64, 64) == 64);
  CHECK(round_up(65, 64) == 128);
  CHECK(round_up(10, 3) == 12);
  CHECK(round_up(7, 1) == 7);
}
