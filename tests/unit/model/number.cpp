#include <ckpt/model/number.hpp>

#include <doctest/doctest.h>

#include <complex>
#include <limits>
#include <string>

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
