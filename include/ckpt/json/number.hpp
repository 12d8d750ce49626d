#ifndef CKPT_JSON_NUMBER_HPP
#define CKPT_JSON_NUMBER_HPP

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ckpt {

enum class json_number_status : std::uint8_t {
  good,
  malformed,     ///< a digit is missing at `size`
  leading_zero,  ///< a further digit at `size` follows a first 0
  out_of_range,  ///< rounds to infinity as a double
};

struct json_number {
  json_number_status status;
  std::size_t size;  ///< in characters
};

/// The number that `text` begins with, by JSON's grammar; what it is worth does not matter here, only whether a double
/// could hold it.
[[nodiscard]] constexpr json_number scan_json_number(std::string_view text) noexcept {
  // 2^1024 - 2^970, half a step above the largest double: from here on doubles round to infinity.
  constexpr std::string_view limit = "17976931348623158079";
  constexpr std::int64_t limit_magnitude = 309;

  std::size_t at = !text.empty() && text[0] == '-' ? 1 : 0;
  const auto digit = [text, &at] { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };

  // The value is 0.DDD... * 10^magnitude, where the first D is not 0; `leading` are the first of them.
  char leading[limit.size()] = {};
  std::size_t count = 0;
  std::int64_t magnitude = 0;
  const auto take = [&](bool fraction) {
    const bool significant = count > 0 || text[at] != '0';
    if (significant && count < limit.size()) leading[count++] = text[at];
    if (significant != fraction) magnitude += fraction ? -1 : 1;
    ++at;
  };

  if (!digit()) return {json_number_status::malformed, at};
  if (text[at] == '0') {
    ++at;
    if (digit()) return {json_number_status::leading_zero, at};
  }
  while (digit()) take(false);
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (!digit()) return {json_number_status::malformed, at};
    while (digit()) take(true);
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    const bool negative = at < text.size() && text[at] == '-';
    if (negative || (at < text.size() && text[at] == '+')) ++at;
    if (!digit()) return {json_number_status::malformed, at};
    constexpr std::int64_t far = std::int64_t{1} << 40;  // past any number of digits that memory can hold
    std::int64_t exponent = 0;
    for (; digit(); ++at)
      if (exponent < far) exponent = exponent * 10 + (text[at] - '0');
    magnitude += negative ? -exponent : exponent;
  }
  const char* const digits = leading;
  const bool too_large = count > 0 && (magnitude > limit_magnitude ||
                                       (magnitude == limit_magnitude && std::string_view(digits, count) >= limit));
  return {too_large ? json_number_status::out_of_range : json_number_status::good, at};
}

}  // namespace ckpt

#endif
