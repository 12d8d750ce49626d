#ifndef CKPT_TENSOR_BFLOAT16_HPP
#define CKPT_TENSOR_BFLOAT16_HPP

#include <bit>
#include <cstdint>

namespace ckpt {

/// The upper half of a float. A storage type: it converts to float exactly, and from float by rounding to nearest,
/// ties to even; NaN stays NaN (and quiet).
class bfloat16 {
 public:
  constexpr bfloat16() noexcept = default;
  constexpr explicit bfloat16(float value) noexcept {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
    const bool nan = (bits & 0x7fffffffu) > 0x7f800000u;
    m_bits = static_cast<std::uint16_t>(nan ? (bits >> 16) | 0x40u : (bits + 0x7fffu + ((bits >> 16) & 1)) >> 16);
  }

  [[nodiscard]] static constexpr bfloat16 from_bits(std::uint16_t bits) noexcept {
    bfloat16 result;
    result.m_bits = bits;
    return result;
  }
  [[nodiscard]] constexpr std::uint16_t bits() const noexcept { return m_bits; }

  constexpr operator float() const noexcept {  // NOLINT(google-explicit-constructor): exact
    return std::bit_cast<float>(std::uint32_t{m_bits} << 16);
  }

 private:
  std::uint16_t m_bits = 0;
};

static_assert(sizeof(bfloat16) == 2);

}  // namespace ckpt

#endif
