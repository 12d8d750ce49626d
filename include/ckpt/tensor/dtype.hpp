#ifndef CKPT_TENSOR_DTYPE_HPP
#define CKPT_TENSOR_DTYPE_HPP

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <type_traits>

#include <ckpt/core/trivially_copyable.hpp>
#include <ckpt/tensor/bfloat16.hpp>
#include <ckpt/tensor/float16.hpp>
#include <ckpt/tensor/packed.hpp>

namespace ckpt {

/// The element type of a tensor. The order is the one in which the safetensors crate lays tensors out (ascending; it
/// writes the last ones first), so that comparing two of them compares their places there.
enum class dtype : std::uint8_t {
  boolean,
  float4_e2m1,
  float6_e2m3,
  float6_e3m2,
  uint8,
  int8,
  int4,
  float8_e5m2,
  float8_e4m3,
  float8_e8m0,
  float8_e4m3fnuz,
  float8_e5m2fnuz,
  int16,
  uint16,
  float16,
  bfloat16,
  int32,
  uint32,
  float32,
  complex64,
  float64,
  int64,
  uint64,
  complex128,
};

/// One row of the table of dtypes. A name is empty where that format cannot hold the type.
struct dtype_info {
  dtype type;
  std::uint8_t bits;             ///< of one element; int4 counts bytes of two numbers, as MindSpore does
  std::string_view name;         ///< as numpy and ml_dtypes name it, shortened to what is unambiguous here
  std::string_view mindspore;    ///< TensorProto.tensor_type
  std::string_view safetensors;  ///< "dtype" of a header entry
};

// Literals that bring their length: where a string_view counts it, g++ takes a step for each character.
using std::string_view_literals::operator""sv;

inline constexpr std::array<dtype_info, 24> dtype_table{{
    {dtype::boolean, 8, "bool"sv, "Bool"sv, "BOOL"sv},
    {dtype::float4_e2m1, 4, "float4_e2m1"sv, ""sv, "F4"sv},
    {dtype::float6_e2m3, 6, "float6_e2m3"sv, ""sv, "F6_E2M3"sv},
    {dtype::float6_e3m2, 6, "float6_e3m2"sv, ""sv, "F6_E3M2"sv},
    {dtype::uint8, 8, "uint8"sv, "UInt8"sv, "U8"sv},
    {dtype::int8, 8, "int8"sv, "Int8"sv, "I8"sv},
    {dtype::int4, 8, "int4"sv, "Int4"sv, ""sv},  // safetensors: I8, with a marker in the metadata
    {dtype::float8_e5m2, 8, "float8_e5m2"sv, ""sv, "F8_E5M2"sv},
    {dtype::float8_e4m3, 8, "float8_e4m3"sv, ""sv, "F8_E4M3"sv},
    {dtype::float8_e8m0, 8, "float8_e8m0"sv, ""sv, "F8_E8M0"sv},
    {dtype::float8_e4m3fnuz, 8, "float8_e4m3fnuz"sv, ""sv, "F8_E4M3FNUZ"sv},
    {dtype::float8_e5m2fnuz, 8, "float8_e5m2fnuz"sv, ""sv, "F8_E5M2FNUZ"sv},
    {dtype::int16, 16, "int16"sv, "Int16"sv, "I16"sv},
    {dtype::uint16, 16, "uint16"sv, "UInt16"sv, "U16"sv},
    {dtype::float16, 16, "float16"sv, "Float16"sv, "F16"sv},
    {dtype::bfloat16, 16, "bfloat16"sv, "BFloat16"sv, "BF16"sv},
    {dtype::int32, 32, "int32"sv, "Int32"sv, "I32"sv},
    {dtype::uint32, 32, "uint32"sv, "UInt32"sv, "U32"sv},
    {dtype::float32, 32, "float32"sv, "Float32"sv, "F32"sv},
    {dtype::complex64, 64, "complex64"sv, "Complex64"sv, "C64"sv},
    {dtype::float64, 64, "float64"sv, "Float64"sv, "F64"sv},
    {dtype::int64, 64, "int64"sv, "Int64"sv, "I64"sv},
    {dtype::uint64, 64, "uint64"sv, "UInt64"sv, "U64"sv},
    {dtype::complex128, 128, "complex128"sv, "Complex128"sv, ""sv},
}};

[[nodiscard]] constexpr const dtype_info& info(dtype type) noexcept {
  return dtype_table[static_cast<std::size_t>(type)];
}
[[nodiscard]] constexpr std::string_view name(dtype type) noexcept { return info(type).name; }

namespace detail {

constexpr const dtype_info* find_dtype(std::string_view dtype_info::* column, std::string_view name,
                                       dtype likely) noexcept {
  if (name.empty()) return nullptr;
  if (info(likely).*column == name) return &info(likely);
  for (const dtype_info& row : dtype_table)
    if (row.*column == name) return &row;
  return nullptr;
}

// std::complex without <complex>, which would bring the streams into every include of this library.
template <class T>
concept complex_number = requires(const T& number) {
  typename T::value_type;
  { number.real() } -> std::convertible_to<typename T::value_type>;
  { number.imag() } -> std::convertible_to<typename T::value_type>;
} && trivially_copyable<T> && sizeof(T) == 2 * sizeof(typename T::value_type);

// A dtype or none.
struct scalar_type {
  constexpr scalar_type() noexcept = default;
  constexpr scalar_type(dtype found) noexcept : type(found), is_there(true) {}  // NOLINT(google-explicit-constructor)

  dtype type{};
  bool is_there = false;
};

template <class T>
constexpr scalar_type scalar_dtype() noexcept {
  if constexpr (std::same_as<T, bool>) return dtype::boolean;
  else if constexpr (std::same_as<T, ckpt::float16>) return dtype::float16;
  else if constexpr (std::same_as<T, ckpt::bfloat16>) return dtype::bfloat16;
  else if constexpr (std::same_as<T, float>) return dtype::float32;
  else if constexpr (std::same_as<T, double>) return dtype::float64;
  else if constexpr (std::same_as<T, int4x2>) return dtype::int4;
  else if constexpr (std::same_as<T, ckpt::float8_e5m2>) return dtype::float8_e5m2;
  else if constexpr (std::same_as<T, ckpt::float8_e4m3>) return dtype::float8_e4m3;
  else if constexpr (std::same_as<T, ckpt::float8_e8m0>) return dtype::float8_e8m0;
  else if constexpr (std::same_as<T, ckpt::float8_e4m3fnuz>) return dtype::float8_e4m3fnuz;
  else if constexpr (std::same_as<T, ckpt::float8_e5m2fnuz>) return dtype::float8_e5m2fnuz;
  else if constexpr (std::same_as<T, char> || std::same_as<T, wchar_t> || std::same_as<T, char8_t> ||
                     std::same_as<T, char16_t> || std::same_as<T, char32_t>)
    return {};  // text, not numbers
  else if constexpr (std::integral<T>) {
    constexpr bool is_signed = std::signed_integral<T>;
    if constexpr (sizeof(T) == 1) return is_signed ? dtype::int8 : dtype::uint8;
    if constexpr (sizeof(T) == 2) return is_signed ? dtype::int16 : dtype::uint16;
    if constexpr (sizeof(T) == 4) return is_signed ? dtype::int32 : dtype::uint32;
    if constexpr (sizeof(T) == 8) return is_signed ? dtype::int64 : dtype::uint64;
  } else if constexpr (complex_number<T>) {
    if constexpr (std::same_as<typename T::value_type, float>) return dtype::complex64;
    if constexpr (std::same_as<typename T::value_type, double>) return dtype::complex128;
  }
  return {};
}

}  // namespace detail

/// The row of the dtype named so by numpy (`name(dtype)`), by MindSpore's tensor_type, by safetensors' "dtype"; nullptr
/// where none is. `likely` is looked at first: the dtype of the tensor before, most often.
[[nodiscard]] constexpr const dtype_info* dtype_from_name(std::string_view name) noexcept {
  return detail::find_dtype(&dtype_info::name, name, dtype::float32);
}
[[nodiscard]] constexpr const dtype_info* dtype_from_mindspore(std::string_view name,
                                                               dtype likely = dtype::float32) noexcept {
  return detail::find_dtype(&dtype_info::mindspore, name, likely);
}
[[nodiscard]] constexpr const dtype_info* dtype_from_safetensors(std::string_view name,
                                                                 dtype likely = dtype::float32) noexcept {
  return detail::find_dtype(&dtype_info::safetensors, name, likely);
}

/// A C++ type that is an element of a tensor: bool, the integers, float, double, float16, bfloat16, std::complex of
/// float and double, and the types of packed.hpp. char is text and not one of them; neither are the 4 and 6 bit
/// floats, of which no single one has an address.
template <class T>
concept scalar = detail::scalar_dtype<std::remove_cv_t<T>>().is_there;

template <scalar T>
inline constexpr dtype dtype_of = detail::scalar_dtype<std::remove_cv_t<T>>().type;

/// A std::vector, std::array, std::span or array of scalars, and what else is one piece of them.
template <class T>
concept scalar_range = requires(const T& range) {
  { std::size(range) } -> std::convertible_to<std::size_t>;
  requires std::is_pointer_v<decltype(std::data(range))>;
  requires std::contiguous_iterator<decltype(std::begin(range))>;  // a matrix has data and size, but is no range
  requires scalar<std::remove_cvref_t<decltype(*std::data(range))>>;
};

}  // namespace ckpt

#endif
