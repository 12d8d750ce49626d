#include <ckpt/json/number.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace ckpt;

namespace {

constexpr bool scans_number(std::string_view text, json_number_status status, std::size_t size) noexcept {
  const json_number number = scan_json_number(text);
  return number.status == status && number.size == size;
}

static_assert(scans_number("0]", json_number_status::good, 1) && scans_number("-1.5e+3,", json_number_status::good, 7));
static_assert(scans_number("01", json_number_status::leading_zero, 1) &&
              scans_number("1.e", json_number_status::malformed, 2));
static_assert(scans_number("1e309", json_number_status::out_of_range, 5) &&
              scans_number("0e309", json_number_status::good, 5));
static_assert(scans_number("0.001e311", json_number_status::good, 9) &&
              scans_number("0.01e311", json_number_status::out_of_range, 8));
static_assert(scans_number("1.7976931348623157e308", json_number_status::good, 22) &&
              scans_number("1.7976931348623159e308", json_number_status::out_of_range, 22));

bool is_number(std::string_view text) {
  const json_number number = scan_json_number(text);
  return number.status == json_number_status::good && number.size == text.size();
}

json_number_status status(std::string_view text) { return scan_json_number(text).status; }

}  // namespace

TEST_CASE("json number: all forms of the grammar") {
  for (const std::string_view text :
       {"0", "-0", "7", "10", "-12", "0.5", "10.25", "1e5", "1E5", "1e+05", "1e-5", "-1.5E-3", "0e0", "0.0e999"})
    CHECK_MESSAGE(is_number(text), text);
}

TEST_CASE("json number: what looks like a number and is none") {
  for (const std::string_view text : {"", "-", ".5", "1.", "1.e5", "1e", "1e+", "-.5", "+1", "--1"})
    CHECK_MESSAGE(status(text) == json_number_status::malformed, text);
  for (const std::string_view text : {"00", "01", "-01", "00.5"})
    CHECK_MESSAGE(status(text) == json_number_status::leading_zero, text);
}

TEST_CASE("json number: it ends where its grammar ends") {
  CHECK(scan_json_number("12,").size == 2);
  CHECK(scan_json_number("1.5]").size == 3);
  CHECK(scan_json_number("1e5e5").size == 3);
  CHECK(scan_json_number("0x1").size == 1);
}

TEST_CASE("json number: refused where a double would be infinite, however it is written") {
  CHECK(is_number("1" + std::string(308, '0')));
  CHECK(status("1" + std::string(309, '0')) == json_number_status::out_of_range);
  CHECK(is_number("0." + std::string(1000, '0') + "1e1309"));
  CHECK(status("0." + std::string(1000, '0') + "1e1310") == json_number_status::out_of_range);
  CHECK(is_number("1" + std::string(1000, '0') + "e-692"));
  CHECK(status("1" + std::string(1000, '0') + "e-691") == json_number_status::out_of_range);
  CHECK(status("-1e309") == json_number_status::out_of_range);
  CHECK(status("1e99999999999999999999999") == json_number_status::out_of_range);
  CHECK(status("1e18446744073709551616") ==
        json_number_status::out_of_range);  // 2^64: 0, where only that many bits count
  CHECK(is_number("1e-18446744073709551925"));
  CHECK(is_number("1e-99999999999999999999999"));
  CHECK(is_number("0e99999999999999999999999"));
}
