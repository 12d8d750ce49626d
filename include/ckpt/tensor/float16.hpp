#ifndef CKPT_TENSOR_FLOAT16_HPP
#define CKPT_TENSOR_FLOAT16_HPP

#include <bit>
#include <cstdint>

namespace ckpt {

/// IEEE 754 binary16. A storage type: it converts to float exactly, and from float by rounding to nearest, ties to
/// even; too large becomes infinity, NaN stays NaN (and quiet).
class float16 {
 public:
  constexpr float16() noexcept = default;
  constexpr explicit float16(float value) noexcept : m_bits(round(value)) {}

  [[nodiscard]] static constexpr float16 from_bits(std::uint16_t bits) noexcept {
    float16 result;
    result.m_bits = bits;
    return result;
  }
  [[nodiscard]] constexpr std::uint16_t bits() const noexcept { return m_bits; }

  constexpr operator float() const noexcept {  // NOLINT(google-explicit-constructor): exact
    const std::uint32_t sign = (std::uint32_t{m_bits} & 0x8000u) << 16;
    const std::uint32_t exponent = (std::uint32_t{m_bits} >> 10) & 0x1fu;
    const std::uint32_t fraction = std::uint32_t{m_bits} & 0x3ffu;
    if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000u | (fraction << 13));
    if (exponent == 0) {  // zero and subnormals: fraction * 2^-24, exact in float
      const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
      return sign == 0 ? magnitude : -magnitude;
    }
    return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
  }

 private:
  static constexpr std::uint16_t round(float value) noexcept {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t sign = (bits >> 16) & 0x8000u;
    const std::uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) return static_cast<std::uint16_t>(sign | 0x7e00u | ((magnitude >> 13) & 0x3ffu));
    if (magnitude >= 0x477ff000u) return static_cast<std::uint16_t>(sign | 0x7c00u);  // from 65520 up
    if (magnitude < 0x38800000u) {                                                    // subnormal or zero
      if (magnitude < 0x33000000u) return static_cast<std::uint16_t>(sign);
      const std::uint32_t shift = 126 - (magnitude >> 23);  // 14 .. 24
      const std::uint32_t fraction = (magnitude & 0x7fffffu) | 0x800000u;
      return static_cast<std::uint16_t>(sign | shift_to_nearest_even(fraction, shift));
    }
    return static_cast<std::uint16_t>(sign | shift_to_nearest_even(magnitude - (std::uint32_t{112} << 23), 13));
  }

  static constexpr std::uint32_t shift_to_nearest_even(std::uint32_t value, std::uint32_t shift) noexcept {
    const std::uint32_t half = std::uint32_t{1} << (shift - 1);
    const std::uint32_t odd = (value >> shift) & 1;
    return (value + half - 1 + odd) >> shift;
  }

  std::uint16_t m_bits = 0;
};

static_assert(sizeof(float16) == 2);

}  // namespace ckpt

#endif
