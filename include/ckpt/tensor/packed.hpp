#ifndef CKPT_TENSOR_PACKED_HPP
#define CKPT_TENSOR_PACKED_HPP

#include <cstdint>

namespace ckpt {

// Element types that are stored and handed on, not computed with: their bits, and nothing more.

/// Two signed 4-bit numbers in one byte. MindSpore's Int4 (qint4x2) counts such bytes: one of them is one element.
struct int4x2 {
  std::uint8_t bits = 0;
  friend constexpr bool operator==(int4x2, int4x2) noexcept = default;
};

/// 4 exponent and 3 fraction bits, no infinity (OCP MX, ml_dtypes float8_e4m3fn).
struct float8_e4m3 {
  std::uint8_t bits = 0;
  friend constexpr bool operator==(float8_e4m3, float8_e4m3) noexcept = default;
};

/// 5 exponent and 2 fraction bits, IEEE-like (OCP MX, ml_dtypes float8_e5m2).
struct float8_e5m2 {
  std::uint8_t bits = 0;
  friend constexpr bool operator==(float8_e5m2, float8_e5m2) noexcept = default;
};

/// 8 exponent bits: a power of two, the scale of an OCP MX block (ml_dtypes float8_e8m0fnu).
struct float8_e8m0 {
  std::uint8_t bits = 0;
  friend constexpr bool operator==(float8_e8m0, float8_e8m0) noexcept = default;
};

/// As float8_e4m3 with another bias and one zero (ml_dtypes float8_e4m3fnuz).
struct float8_e4m3fnuz {
  std::uint8_t bits = 0;
  friend constexpr bool operator==(float8_e4m3fnuz, float8_e4m3fnuz) noexcept = default;
};

/// As float8_e5m2 with another bias, one zero and no infinity (ml_dtypes float8_e5m2fnuz).
struct float8_e5m2fnuz {
  std::uint8_t bits = 0;
  friend constexpr bool operator==(float8_e5m2fnuz, float8_e5m2fnuz) noexcept = default;
};

}  // namespace ckpt

#endif
