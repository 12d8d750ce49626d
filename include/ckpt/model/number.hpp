#ifndef CKPT_MODEL_NUMBER_HPP
#define CKPT_MODEL_NUMBER_HPP

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <ckpt/core/byte_span.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/tensor/dtype.hpp>

namespace ckpt {

namespace detail {

template <class T>
T read_unaligned(sequence<std::byte> bytes) noexcept {
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

template <class To, class From>
std::optional<To> narrow(From value) noexcept {
  if (!std::in_range<To>(value)) return std::nullopt;
  return static_cast<To>(value);
}

}  // namespace detail

/// The number of dtype `type` in `bytes` (of any alignment) as a T, where no value of it is lost: an integer from an
/// integer that fits, a float from a narrower float. Nothing for everything else.
template <scalar T>
[[nodiscard]] std::optional<T> convert_number(dtype type, sequence<std::byte> bytes) noexcept {
  if constexpr (std::integral<T> && !std::same_as<T, bool>) {
    switch (type) {
      case dtype::int8: return detail::narrow<T>(detail::read_unaligned<std::int8_t>(bytes));
      case dtype::uint8: return detail::narrow<T>(detail::read_unaligned<std::uint8_t>(bytes));
      case dtype::int16: return detail::narrow<T>(detail::read_unaligned<std::int16_t>(bytes));
      case dtype::uint16: return detail::narrow<T>(detail::read_unaligned<std::uint16_t>(bytes));
      case dtype::int32: return detail::narrow<T>(detail::read_unaligned<std::int32_t>(bytes));
      case dtype::uint32: return detail::narrow<T>(detail::read_unaligned<std::uint32_t>(bytes));
      case dtype::int64: return detail::narrow<T>(detail::read_unaligned<std::int64_t>(bytes));
      case dtype::uint64: return detail::narrow<T>(detail::read_unaligned<std::uint64_t>(bytes));
      default: return std::nullopt;
    }
  } else if constexpr (std::same_as<T, float> || std::same_as<T, double>) {
    switch (type) {
      case dtype::float16: return T{detail::read_unaligned<float16>(bytes)};
      case dtype::bfloat16: return T{detail::read_unaligned<bfloat16>(bytes)};
      case dtype::float32: return T{detail::read_unaligned<float>(bytes)};
      default: return std::nullopt;
    }
  } else {
    return std::nullopt;
  }
}

/// Whether each number of dtype `from` is one of the wider float type `to`.
[[nodiscard]] constexpr bool widens(dtype from, dtype to) noexcept {
  if (to == dtype::float32) return from == dtype::float16 || from == dtype::bfloat16;
  return to == dtype::float64 && (from == dtype::float32 || widens(from, dtype::float32));
}

namespace detail {

template <class From, class To>
void widen_all(byte_span elements) noexcept {
  constexpr std::size_t most = 512;  // at a time, which are out of the way before they are overwritten
  const std::size_t count = elements.size() / sizeof(To);
  const std::byte* from = elements.data() + count * (sizeof(To) - sizeof(From));
  std::byte* to = elements.data();
  for (std::size_t at = 0; at < count; at += most) {
    From narrow[most];
    To wide[most];
    const std::size_t size = count - at < most ? count - at : most;
    std::memcpy(static_cast<void*>(narrow), from, size * sizeof(From));
    for (std::size_t i = 0; i < size; ++i) wide[i] = static_cast<To>(static_cast<float>(narrow[i]));
    std::memcpy(to, wide, size * sizeof(To));
    from += size * sizeof(From);
    to += size * sizeof(To);
  }
}

template <class To>
void widen_to(dtype from, byte_span elements) noexcept {
  if (from == dtype::float16) widen_all<float16, To>(elements);
  else if (from == dtype::bfloat16) widen_all<bfloat16, To>(elements);
  else if constexpr (std::same_as<To, double>) widen_all<float, To>(elements);
}

}  // namespace detail

/// Widens numbers where they lie: of dtype `from` at the end of `elements`, whose bytes they fill as `to`, in order.
/// Not unless widens(from, to).
inline void widen(dtype from, dtype to, byte_span elements) noexcept {
  if (to == dtype::float32) detail::widen_to<float>(from, elements);
  else detail::widen_to<double>(from, elements);
}

/// Throws format_error, naming the tensor, where a byte of its content is no bool: a bool of C++ has no other value.
inline void check_bools(sequence<std::byte> content, const std::string& path, std::string_view tensor) {
  for (const std::byte value : content)
    if (value > std::byte{1})
      throw format_error(errc::malformed, {.path = path, .name = std::string(tensor)},
                         concat({"a bool is ", std::to_string(static_cast<int>(value)), ", neither 0 nor 1"}));
}

}  // namespace ckpt

#endif
