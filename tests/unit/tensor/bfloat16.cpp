#include <ckpt/tensor/bfloat16.hpp>

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "../support.hpp"

using namespace ckpt;

namespace {

static_assert(bfloat16(1.0f).bits() == 0x3f80 && bfloat16(-2.0f).bits() == 0xc000);
static_assert(bfloat16(1.0f + 0x1p-8f).bits() == 0x3f80 && bfloat16(1.0f + 0x1.8p-7f).bits() == 0x3f82);
static_assert(bfloat16(0x1.fffffep127f).bits() == 0x7f80 && bfloat16::from_bits(0x4049) == 3.140625f);

// The reference knows only what IEEE 754 says, in doubles: no bits are moved.

double reference_value(unsigned bits) {
  const double sign = bits >= 0x8000 ? -1.0 : 1.0;
  const int exponent = static_cast<int>((bits >> 7U) & 255U);
  const double fraction = static_cast<double>(bits & 127U) / 128.0;
  if (exponent == 255) return fraction == 0 ? sign * std::numeric_limits<double>::infinity() : std::nan("");
  if (exponent == 0) return sign * std::ldexp(fraction, -126);
  return sign * std::ldexp(1.0 + fraction, exponent - 127);
}

/// The bits of the nearest value, ties to even, of a number that is not NaN.
unsigned reference_bits(float value) {
  const unsigned sign = std::signbit(value) ? 0x8000U : 0U;
  const double magnitude = std::fabs(static_cast<double>(value));
  if (std::isinf(magnitude)) return sign | 0x7f80U;
  int exponent = magnitude == 0 ? -126 : std::ilogb(magnitude);
  if (exponent < -126) exponent = -126;
  const double steps = std::nearbyint(std::ldexp(magnitude, 7 - exponent));  // ties to even, the default mode
  const double bits = static_cast<double>(exponent + 126) * 128.0 + steps;   // a carry goes up into the exponent
  return sign | (bits >= 255.0 * 128.0 ? 0x7f80U : static_cast<unsigned>(bits));
}

bool is_nan(unsigned bits) { return (bits & 0x7fffU) > 0x7f80U; }

/// How many of the numbers are rounded otherwise than the reference does.
struct rounding {
  int wrong = 0;
  float example = 0;
  void check(float value) {
    if (bfloat16(value).bits() == reference_bits(value)) return;
    ++wrong;
    example = value;
  }
};

}  // namespace

TEST_CASE("bfloat16: all 65536 values as the standard says") {
  int wrong = 0;
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const float value = bfloat16::from_bits(static_cast<std::uint16_t>(bits));
    const double expected = reference_value(bits);
    const bool same = std::isnan(expected)
                          ? std::isnan(value)
                          : static_cast<double>(value) == expected && std::signbit(value) == (bits >= 0x8000);
    if (!same) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("bfloat16: all 65536 values come back from float; NaN quiet, with its sign and payload") {
  int wrong = 0;
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const unsigned back = bfloat16(static_cast<float>(bfloat16::from_bits(static_cast<std::uint16_t>(bits)))).bits();
    if (back != (is_nan(bits) ? bits | 0x40U : bits)) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("bfloat16: rounds to nearest, ties to even, at and around the middle of any two neighbours") {
  rounding result;
  for (unsigned bits = 0; bits < 0x7f80; ++bits) {
    const double low = reference_value(bits);
    const double high = bits == 0x7f7f ? 0x1p128 : reference_value(bits + 1);
    const auto middle = static_cast<float>((low + high) / 2);  // exact in float, the last one too
    const float infinity = std::numeric_limits<float>::infinity();
    for (const float value : {middle, std::nextafter(middle, 0.0F), std::nextafter(middle, infinity)}) {
      result.check(value);
      result.check(-value);
    }
  }
  INFO(result.example);
  CHECK(result.wrong == 0);
}

TEST_CASE("bfloat16: rounds floats of all magnitudes as the reference does") {
  rounding result;
  support::numbers random(3);
  for (int i = 0; i < 300'000; ++i) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random.next() >> 32U));
    if (!std::isnan(value)) result.check(value);
  }
  INFO(result.example);
  CHECK(result.wrong == 0);
}

TEST_CASE("bfloat16: the edges") {
  CHECK(bfloat16(0x1.fefffep127F).bits() == 0x7f7f);
  CHECK(bfloat16(0x1.ffp127F).bits() == 0x7f80);
  CHECK(bfloat16(-std::numeric_limits<float>::max()).bits() == 0xff80);
  CHECK(bfloat16(0x1p-134F).bits() == 0);
  CHECK(bfloat16(std::nextafter(0x1p-134F, 1.0F)).bits() == 1);
  CHECK(bfloat16(-0.0F).bits() == 0x8000);
  CHECK(bfloat16(std::numeric_limits<float>::denorm_min()).bits() == 0);
  CHECK(bfloat16().bits() == 0);
}

TEST_CASE("bfloat16: NaN stays NaN, whatever its payload") {
  CHECK(bfloat16(std::bit_cast<float>(0x7f800001U)).bits() == 0x7fc0);  // a payload in the lower half only
  CHECK(bfloat16(std::bit_cast<float>(0xffffffffU)).bits() == 0xffff);  // rounding it would carry into zero
  CHECK(std::isnan(static_cast<float>(bfloat16::from_bits(0xff81))));
}

TEST_CASE("bfloat16: is computed with as float") {
  const bfloat16 a(1.5F);
  const bfloat16 b(2.25F);
  CHECK(a + b == 3.75F);
  CHECK(a < b);
  CHECK(bfloat16(1.0F) == bfloat16(1.0F));
}
