#include <ckpt/model/number.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "../support.hpp"

using namespace ckpt;

namespace {

/// The number that these bytes are in that dtype, as a T; "-" for none.
template <class T>
std::string as(dtype type, std::string_view digits) {
  const std::string raw = support::unhex(digits);
  std::string odd = " " + raw;  // at an address that is aligned to nothing
  const std::optional<T> value = convert_number<T>(type, support::bytes(odd).subspan(1));
  if (!value) return "-";
  return std::to_string(*value);
}

}  // namespace

TEST_CASE("convert_number: an integer from each integer type") {
  CHECK(as<std::int64_t>(dtype::int8, "ff") == "-1");
  CHECK(as<std::int64_t>(dtype::uint8, "ff") == "255");
  CHECK(as<std::int64_t>(dtype::int16, "feff") == "-2");
  CHECK(as<std::int64_t>(dtype::uint16, "feff") == "65534");
  CHECK(as<std::int64_t>(dtype::int32, "fdffffff") == "-3");
  CHECK(as<std::int64_t>(dtype::uint32, "fdffffff") == "4294967293");
  CHECK(as<std::int64_t>(dtype::int64, "0000000000000080") == "-9223372036854775808");
  CHECK(as<std::uint64_t>(dtype::uint64, "ffffffffffffffff") == "18446744073709551615");
}

TEST_CASE("convert_number: an integer only where it fits") {
  CHECK(as<std::int64_t>(dtype::uint64, "ffffffffffffff7f") == "9223372036854775807");
  CHECK(as<std::int64_t>(dtype::uint64, "0000000000000080") == "-");
  CHECK(as<std::uint64_t>(dtype::int64, "ffffffffffffffff") == "-");
  CHECK(as<std::int8_t>(dtype::int64, "7f00000000000000") == "127");
  CHECK(as<std::int8_t>(dtype::int64, "8000000000000000") == "-");
  CHECK(as<std::int8_t>(dtype::int64, "80ffffffffffffff") == "-128");
  CHECK(as<std::int8_t>(dtype::int64, "7fffffffffffffff") == "-");
  CHECK(as<std::uint8_t>(dtype::int8, "ff") == "-");
  CHECK(as<unsigned>(dtype::int32, "ffffff7f") == "2147483647");
}

TEST_CASE("convert_number: a float from narrower floats, exactly") {
  CHECK(convert_number<float>(dtype::float16, support::bytes(support::unhex("003e"))) == 1.5F);
  CHECK(convert_number<double>(dtype::float16, support::bytes(support::unhex("0100"))) == 0x1p-24);
  CHECK(convert_number<float>(dtype::bfloat16, support::bytes(support::unhex("c03f"))) == 1.5F);
  CHECK(convert_number<double>(dtype::bfloat16, support::bytes(support::unhex("c0bf"))) == -1.5);
  CHECK(convert_number<double>(dtype::float32, support::bytes(support::unhex("cdcccc3d"))) == double{0.1F});
}

TEST_CASE("convert_number: nothing where something would be lost or guessed") {
  CHECK(as<float>(dtype::float64, "000000000000f03f") == "-");
  CHECK(as<float>(dtype::int32, "01000000") == "-");
  CHECK(as<double>(dtype::int8, "01") == "-");
  CHECK(as<int>(dtype::float32, "0000803f") == "-");
  CHECK(as<int>(dtype::boolean, "01") == "-");
  CHECK(as<int>(dtype::int4, "01") == "-");
  CHECK(as<bool>(dtype::uint8, "01") == "-");
  CHECK(as<float>(dtype::float8_e4m3, "01") == "-");
  CHECK(!convert_number<float16>(dtype::float32, support::bytes(support::unhex("0000803f"))));
  CHECK(!convert_number<bfloat16>(dtype::float16, support::bytes(support::unhex("003c"))));
  CHECK(!convert_number<std::complex<double>>(dtype::complex64, support::bytes(std::string(8, '\0'))));
}

TEST_CASE("widen: floats of each narrower type, in their place, as convert_number has them") {
  support::numbers random(9);
  int wrong = 0;
  int cases = 0;
  for (const dtype from : {dtype::float16, dtype::bfloat16, dtype::float32, dtype::float64, dtype::int8})
    for (const dtype to : {dtype::float32, dtype::float64, dtype::float16, dtype::int32}) {
      const bool is_float = to == dtype::float32 || to == dtype::float64;
      const bool is_wider = info(to).bits > info(from).bits;
      CHECK(widens(from, to) == (is_float && is_wider && from != dtype::int8));
      if (!widens(from, to)) continue;
      const std::size_t narrow = info(from).bits / 8U;
      const std::size_t wide = info(to).bits / 8U;
      for (const std::size_t count : {0U, 1U, 2U, 3U, 511U, 512U, 513U, 1024U, 2000U}) {
        std::vector<std::byte> elements(count * wide);
        std::vector<std::byte> before(count * narrow);
        for (std::byte& each : before) each = static_cast<std::byte>(random.next() >> 56U);
        std::copy(before.begin(), before.end(), elements.end() - static_cast<std::ptrdiff_t>(before.size()));
        widen(from, to, elements);
        ++cases;
        for (std::size_t i = 0; i < count; ++i) {
          double expected = *convert_number<double>(from, std::span(before).subspan(i * narrow, narrow));
          double found = 0;
          if (to == dtype::float64) std::memcpy(&found, elements.data() + i * wide, wide);
          else found = *convert_number<double>(to, std::span(elements).subspan(i * wide, wide));
          wrong += std::isnan(expected) ? !std::isnan(found) : expected != found;
        }
      }
    }
  CHECK(wrong == 0);
  CHECK(cases == 5 * 9);
}
