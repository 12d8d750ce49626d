#ifndef CKPT_TENSOR_DTYPE_HPP
#define CKPT_TENSOR_DTYPE_HPP

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>
#include <type_traits>

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

inline constexpr std::array<dtype_info, 24> dtype_table{{
    {dtype::boolean, 8, "bool", "Bool", "BOOL"},
    {dtype::float4_e2m1, 4, "float4_e2m1", "", "F4"},
    {dtype::float6_e2m3, 6, "float6_e2m3", "", "F6_E2M3"},
    {dtype::float6_e3m2, 6, "float6_e3m2", "", "F6_E3M2"},
    {dtype::uint8, 8, "uint8", "UInt8", "U8"},
    {dtype::int8, 8, "int8", "Int8", "I8"},
    {dtype::int4, 8, "int4", "Int4", ""},  // safetensors: I8, with a marker in the metadata
    {dtype::float8_e5m2, 8, "float8_e5m2", "", "F8_E5M2"},
    {dtype::float8_e4m3, 8, "float8_e4m3", "", "F8_E4M3"},
    {dtype::float8_e8m0, 8, "float8_e8m0", "", "F8_E8M0"},
    {dtype::float8_e4m3fnuz, 8, "float8_e4m3fnuz", "", "F8_E4M3FNUZ"},
    {dtype::float8_e5m2fnuz, 8, "float8_e5m2fnuz", "", "F8_E5M2FNUZ"},
    {dtype::int16, 16, "int16", "Int16", "I16"},
    {dtype::uint16, 16, "uint16", "UInt16", "U16"},
    {dtype::float16, 16, "float16", "Float16", "F16"},
    {dtype::bfloat16, 16, "bfloat16", "BFloat16", "BF16"},
    {dtype::int32, 32, "int32", "Int32", "I32"},
    {dtype::uint32, 32, "uint32", "UInt32", "U32"},
    {dtype::float32, 32, "float32", "Float32", "F32"},
    {dtype::complex64, 64, "complex64", "Complex64", "C64"},
    {dtype::float64, 64, "float64", "Float64", "F64"},
    {dtype::int64, 64, "int64", "Int64", "I64"},
    {dtype::uint64, 64, "uint64", "UInt64", "U64"},
    {dtype::complex128, 128, "complex128", "Complex128", ""},
}};

[[nodiscard]] constexpr const dtype_info& info(dtype type) noexcept {
  return dtype_table[static_cast<std::size_t>(type)];
}
[[nodiscard]] constexpr std::string_view name(dtype type) noexcept { return info(type).name; }

namespace detail {

constexpr std::optional<dtype> find_dtype(std::string_view dtype_info::* column, std::string_view name,
                                          dtype likely) noexcept {
  if (name.empty()) return std::nullopt;
  if (info(likely).*column == name) return likely;
  for (const dtype_info& row : dtype_table)
    if (row.*column == name) return row.type;
  return std::nullopt;
}

// std::complex without <complex>, which would bring the streams into every include of this library.
template <class T>
concept complex_number = requires(const T& number) {
  typename T::value_type;
  { number.real() } -> std::convertible_to<typename T::value_type>;
  { number.imag() } -> std::convertible_to<typename T::value_type>;
} && std::is_trivially_copyable_v<T> && sizeof(T) == 2 * sizeof(typename T::value_type);

template <class T>
constexpr std::optional<dtype> scalar_dtype() noexcept {
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
    return std::nullopt;  // text, not numbers
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
  return std::nullopt;
}

}  // namespace detail

/// The dtype named so by numpy (`name(dtype)`), by MindSpore's tensor_type, by safetensors' "dtype". `likely` is looked
/// at first: the dtype of the tensor before, most often.
[[nodiscard]] constexpr std::optional<dtype> dtype_from_name(std::string_view name) noexcept {
  return detail::find_dtype(&dtype_info::name, name, dtype::float32);
}
[[nodiscard]] constexpr std::optional<dtype> dtype_from_mindspore(std::string_view name,
                                                                  dtype likely = dtype::float32) noexcept {
  return detail::find_dtype(&dtype_info::mindspore, name, likely);
}
[[nodiscard]] constexpr std::optional<dtype> dtype_from_safetensors(std::string_view name,
                                                                    dtype likely = dtype::float32) noexcept {
  return detail::find_dtype(&dtype_info::safetensors, name, likely);
}

/// A C++ type that is an element of a tensor: bool, the integers, float, double, float16, bfloat16, std::complex of
/// float and double, and the types of packed.hpp. char is text and not one of them; neither are the 4 and 6 bit
/// floats, of which no single one has an address.
template <class T>
concept scalar = detail::scalar_dtype<std::remove_cv_t<T>>().has_value();

template <scalar T>
inline constexpr dtype dtype_of = *detail::scalar_dtype<std::remove_cv_t<T>>();

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
