#ifndef CKPT_TOOLS_VALUE_DIFFERENCE_HPP
#define CKPT_TOOLS_VALUE_DIFFERENCE_HPP

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>

#include <ckpt/tensor/bfloat16.hpp>
#include <ckpt/tensor/dtype.hpp>
#include <ckpt/tensor/float16.hpp>

#include "human_size.hpp"

namespace ckpt::tools {

/// In how many elements two tensors of one dtype and shape differ, and by how much at most. Elements are equal where
/// their bits are: a NaN equals the same NaN, and 0 differs from -0.
class value_difference {
 public:
  explicit value_difference(dtype type) noexcept : m_type(type) {}

  /// Packed elements at the same place in both; the sizes are equal.
  void compare(std::span<const std::byte> a, std::span<const std::byte> b) noexcept {
    m_compared += element_size() == 0 ? a.size() : a.size() / element_size();
    if (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0) return;
    switch (m_type) {
      case dtype::int8: return add_all<std::int8_t>(a, b);
      case dtype::uint8: return add_all<std::uint8_t>(a, b);
      case dtype::int16: return add_all<std::int16_t>(a, b);
      case dtype::uint16: return add_all<std::uint16_t>(a, b);
      case dtype::int32: return add_all<std::int32_t>(a, b);
      case dtype::uint32: return add_all<std::uint32_t>(a, b);
      case dtype::int64: return add_all<std::int64_t>(a, b);
      case dtype::uint64: return add_all<std::uint64_t>(a, b);
      case dtype::float16: return add_all<float16>(a, b);
      case dtype::bfloat16: return add_all<bfloat16>(a, b);
      case dtype::float32: return add_all<float>(a, b);
      case dtype::float64: return add_all<double>(a, b);
      case dtype::complex64: return add_all<pair<float>>(a, b);
      case dtype::complex128: return add_all<pair<double>>(a, b);
      case dtype::boolean:
      case dtype::float4_e2m1:
      case dtype::float6_e2m3:
      case dtype::float6_e3m2:
      case dtype::int4:
      case dtype::float8_e5m2:
      case dtype::float8_e4m3:
      case dtype::float8_e8m0:
      case dtype::float8_e4m3fnuz:
      case dtype::float8_e5m2fnuz: return add_all<std::byte>(a, b);
    }
  }

  [[nodiscard]] std::uint64_t count() const noexcept { return m_differing; }

  /// `3 of 150 values differ, by at most 0.0012`; bytes instead of values, and no largest difference, where the
  /// elements are more or less than a byte's number.
  [[nodiscard]] std::string text() const {
    const bool is_packed = m_type == dtype::int4 || info(m_type).bits < 8;
    std::string text = grouped(m_differing) + " of " +
                       counted(m_compared, is_packed ? "byte" : "value", is_packed ? "bytes" : "values") +
                       (m_differing == 1 ? " differs" : " differ");
    if (m_with_nan < m_differing && has_numbers()) text += ", by at most " + largest();
    if (m_with_nan > 0) text += ", " + grouped(m_with_nan) + " with NaN";
    return text;
  }

 private:
  template <class T>
  struct pair {
    T real;
    T imaginary;
  };

  [[nodiscard]] std::size_t element_size() const noexcept { return info(m_type).bits / 8u; }  // 0: less than a byte

  [[nodiscard]] bool has_numbers() const noexcept { return m_is_whole || m_is_real; }

  [[nodiscard]] std::string largest() const {
    if (m_is_whole) return grouped(m_largest_whole);
    char text[32];
    std::snprintf(text, sizeof text, "%.6g", m_largest_real);
    return text;
  }

  template <class T>
  void add_all(std::span<const std::byte> a, std::span<const std::byte> b) noexcept {
    for (std::size_t at = 0; at + sizeof(T) <= a.size(); at += sizeof(T)) {
      if (std::memcmp(a.data() + at, b.data() + at, sizeof(T)) == 0) continue;
      T first;
      T second;
      std::memcpy(&first, a.data() + at, sizeof(T));
      std::memcpy(&second, b.data() + at, sizeof(T));
      ++m_differing;
      add(first, second);
    }
  }

  template <class T>
  void add(const T& a, const T& b) noexcept {
    if constexpr (std::is_integral_v<T>) {
      // Modulo 2^bits the difference is right, whatever the signs.
      const auto first = static_cast<std::make_unsigned_t<T>>(a);
      const auto second = static_cast<std::make_unsigned_t<T>>(b);
      const auto larger = a > b ? first : second;
      const auto smaller = a > b ? second : first;
      const auto distance = static_cast<std::make_unsigned_t<T>>(larger - smaller);
      if (distance > m_largest_whole) m_largest_whole = distance;
      m_is_whole = true;
    } else if constexpr (!std::is_same_v<T, std::byte>) {
      const double distance = distance_of(a, b);
      if (std::isnan(distance)) ++m_with_nan;
      else if (distance > m_largest_real) m_largest_real = distance;
      m_is_real = true;
    }
  }

  template <class T>
  static double distance_of(const T& a, const T& b) noexcept {
    return std::fabs(static_cast<double>(a) - static_cast<double>(b));
  }
  template <class T>
  static double distance_of(const pair<T>& a, const pair<T>& b) noexcept {
    const double real = part_distance(a.real, b.real);
    const double imaginary = part_distance(a.imaginary, b.imaginary);
    return std::isnan(real) || std::isnan(imaginary) ? NAN : std::hypot(real, imaginary);
  }
  template <class T>
  static double part_distance(T a, T b) noexcept {
    return a == b ? 0 : distance_of(a, b);  // also where both are the same infinity
  }

  dtype m_type;
  std::uint64_t m_compared = 0;
  std::uint64_t m_differing = 0;
  std::uint64_t m_with_nan = 0;
  std::uint64_t m_largest_whole = 0;
  double m_largest_real = 0;
  bool m_is_whole = false;
  bool m_is_real = false;
};

}  // namespace ckpt::tools

#endif
