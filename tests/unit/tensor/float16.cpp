#include <ckpt/tensor/float16.hpp>

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "../support.hpp"

using namespace ckpt;

namespace {

static_assert(float16(1.0f).bits() == 0x3c00 && float16(-2.0f).bits() == 0xc000);
static_assert(float16(65504.0f).bits() == 0x7bff && float16(65519.0f).bits() == 0x7bff &&
              float16(65520.0f).bits() == 0x7c00);
static_assert(float16(0x1p-24f).bits() == 1 && float16(0x1p-25f).bits() == 0 && float16(0x1.8p-25f).bits() == 1);
static_assert(float16(0x1p-14f).bits() == 0x0400 && float16(1.0f + 0x1p-11f).bits() == 0x3c00);
static_assert(float16::from_bits(0x3555) == 0x1.554p-2f && float16::from_bits(0x8001) == -0x1p-24f);

// The reference knows only what IEEE 754 says, in doubles: no bits are moved.

double reference_value(unsigned bits) {
  const double sign = bits >= 0x8000 ? -1.0 : 1.0;
  const int exponent = static_cast<int>((bits >> 10U) & 31U);
  const double fraction = static_cast<double>(bits & 1023U) / 1024.0;
  if (exponent == 31) return fraction == 0 ? sign * std::numeric_limits<double>::infinity() : std::nan("");
  if (exponent == 0) return sign * std::ldexp(fraction, -14);
  return sign * std::ldexp(1.0 + fraction, exponent - 15);
}

/// The bits of the nearest value, ties to even, of a number that is not NaN.
unsigned reference_bits(float value) {
  const unsigned sign = std::signbit(value) ? 0x8000U : 0U;
  const double magnitude = std::fabs(static_cast<double>(value));
  if (std::isinf(magnitude)) return sign | 0x7c00U;
  int exponent = magnitude == 0 ? -14 : std::ilogb(magnitude);
  if (exponent < -14) exponent = -14;
  const double steps = std::nearbyint(std::ldexp(magnitude, 10 - exponent));  // ties to even, the default mode
  const double bits = static_cast<double>(exponent + 14) * 1024.0 + steps;    // a carry goes up into the exponent
  return sign | (bits >= 31.0 * 1024.0 ? 0x7c00U : static_cast<unsigned>(bits));
}

bool is_nan(unsigned bits) { return (bits & 0x7fffU) > 0x7c00U; }

/// How many of the numbers are rounded otherwise than the reference does.
struct rounding {
  int wrong = 0;
  float example = 0;
  void check(float value) {
    if (float16(value).bits() == reference_bits(value)) return;
    ++wrong;
    example = value;
  }
};

}  // namespace

TEST_CASE("float16: all 65536 values as the standard says") {
  int wrong = 0;
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const float value = float16::from_bits(static_cast<std::uint16_t>(bits));
    const double expected = reference_value(bits);
    const bool same = std::isnan(expected)
                          ? std::isnan(value)
                          : static_cast<double>(value) == expected && std::signbit(value) == (bits >= 0x8000);
    if (!same) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("float16: all 65536 values come back from float; NaN quiet, with its sign and payload") {
  int wrong = 0;
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const unsigned back = float16(static_cast<float>(float16::from_bits(static_cast<std::uint16_t>(bits)))).bits();
    if (back != (is_nan(bits) ? bits | 0x200U : bits)) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("float16: rounds to nearest, ties to even, at and around the middle of any two neighbours") {
  rounding result;
  for (unsigned bits = 0; bits < 0x7c00; ++bits) {
    const double low = reference_value(bits);
    const double high = bits == 0x7bff ? 65536.0 : reference_value(bits + 1);
    const auto middle = static_cast<float>((low + high) / 2);  // exact in float
    const float infinity = std::numeric_limits<float>::infinity();
    for (const float value : {middle, std::nextafter(middle, 0.0F), std::nextafter(middle, infinity)}) {
      result.check(value);
      result.check(-value);
    }
  }
  INFO(result.example);
  CHECK(result.wrong == 0);
}

TEST_CASE("float16: rounds floats of all magnitudes as the reference does") {
  rounding result;
  support::numbers random(3);
  for (int i = 0; i < 300'000; ++i) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random.next() >> 32U));
    if (!std::isnan(value)) result.check(value);
  }
  for (int i = 0; i < 300'000; ++i)  // most of the above are too large or too small
    result.check(
        std::ldexp(static_cast<float>(random.between(-(1 << 24), 1 << 24)), static_cast<int>(random.between(-52, -6))));
  INFO(result.example);
  CHECK(result.wrong == 0);
}

TEST_CASE("float16: the edges") {
  CHECK(float16(65519.996F).bits() == 0x7bff);
  CHECK(float16(65520.0F).bits() == 0x7c00);
  CHECK(float16(-std::numeric_limits<float>::max()).bits() == 0xfc00);
  CHECK(float16(0x1p-25F).bits() == 0);
  CHECK(float16(std::nextafter(0x1p-25F, 1.0F)).bits() == 1);
  CHECK(float16(-0.0F).bits() == 0x8000);
  CHECK(float16(std::numeric_limits<float>::denorm_min()).bits() == 0);
  CHECK(float16().bits() == 0);
}

TEST_CASE("float16: NaN stays NaN, whatever its payload") {
  CHECK(float16(std::bit_cast<float>(0x7f800001U)).bits() == 0x7e00);  // a payload that half precision has no bits for
  CHECK(float16(std::bit_cast<float>(0xffffffffU)).bits() == 0xffff);
  CHECK(std::isnan(static_cast<float>(float16::from_bits(0xfc01))));
}

TEST_CASE("float16: is computed with as float") {
  const float16 a(1.5F);
  const float16 b(2.25F);
  CHECK(a + b == 3.75F);
  CHECK(a < b);
  CHECK(float16(1.0F) == float16(1.0F));
}
