#ifndef CKPT_CORE_BYTE_ORDER_HPP
#define CKPT_CORE_BYTE_ORDER_HPP

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace ckpt {

// Both formats are little-endian and tensor bytes go to the file as they lie in memory.
static_assert(std::endian::native == std::endian::little, "ckpt supports little-endian machines only");
// Sizes were compared with what a file has before they become a std::size_t, which must not cut them.
static_assert(sizeof(std::size_t) == sizeof(std::uint64_t), "ckpt supports 64-bit machines only");

/// Reads a little-endian number from unaligned bytes; `from` holds at least sizeof(T) of them.
template <std::unsigned_integral T>
[[nodiscard]] constexpr T load_le(const std::byte* from) noexcept {
  if (std::is_constant_evaluated()) {
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i)
      value = static_cast<T>(value | static_cast<T>(static_cast<T>(from[i]) << (8 * i)));
    return value;
  }
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

/// Writes a little-endian number to unaligned bytes; `to` has room for sizeof(T) of them.
template <std::unsigned_integral T>
constexpr void store_le(std::byte* to, T value) noexcept {
  for (std::size_t i = 0; i < sizeof(T); ++i) to[i] = static_cast<std::byte>((value >> (8 * i)) & 0xff);
}

}  // namespace ckpt

#endif
