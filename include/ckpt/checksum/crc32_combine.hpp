#ifndef CKPT_CHECKSUM_CRC32_COMBINE_HPP
#define CKPT_CHECKSUM_CRC32_COMBINE_HPP

#include <cstddef>
#include <cstdint>

namespace ckpt {

namespace detail {

// Polynomials over GF(2) modulo that of CRC-32 (IEEE 802.3), lowest power first: bit 31 is x^0, bit 0 is x^31.

inline constexpr std::uint32_t crc32_polynomial = 0xedb88320;

constexpr std::uint32_t crc32_multiply(std::uint32_t a, std::uint32_t b) noexcept {
  std::uint32_t product = 0;
  for (; a != 0; a <<= 1) {
    if (a >> 31 != 0) product ^= b;
    b = (b >> 1) ^ (crc32_polynomial & (0 - (b & 1)));  // times x
  }
  return product;
}

/// x^(8 * 2^k): what 2^k bytes more multiply by.
struct crc32_powers {
  std::uint32_t of_bytes[64] = {};
  constexpr crc32_powers() noexcept {
    of_bytes[0] = std::uint32_t{1} << (31 - 8);
    for (std::size_t k = 1; k < 64; ++k) of_bytes[k] = crc32_multiply(of_bytes[k - 1], of_bytes[k - 1]);
  }
};
inline constexpr crc32_powers powers_of_crc32;

}  // namespace detail

/// The CRC-32 (IEEE 802.3, as zlib's) of bytes whose first part has the CRC-32 `a`, and whose second part, `b_size`
/// bytes, has `b`.
[[nodiscard]] constexpr std::uint32_t crc32_combine(std::uint32_t a, std::uint32_t b, std::uint64_t b_size) noexcept {
  for (std::size_t k = 0; b_size != 0; b_size >>= 1, ++k)
    if ((b_size & 1) != 0) a = detail::crc32_multiply(detail::powers_of_crc32.of_bytes[k], a);
  return a ^ b;
}

static_assert(crc32_combine(0x9be3e0a3, 0x131da070, 5) == 0xcbf43926, "\"1234\" and \"56789\"");
static_assert(crc32_combine(0xcbf43926, 0, 0) == 0xcbf43926 && crc32_combine(0, 0xcbf43926, 9) == 0xcbf43926);
static_assert(crc32_combine(0xd202ef8d, 0xd202ef8d, 1) == 0x41d912ff, "two zero bytes");
static_assert(detail::crc32_multiply(std::uint32_t{1} << 31, 0x12345678) == 0x12345678, "times 1");

}  // namespace ckpt

#endif
