#ifndef CKPT_TOOLS_NPY_HPP
#define CKPT_TOOLS_NPY_HPP

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <ckpt/tensor/dtype.hpp>

namespace ckpt::tools {

/// The type that numpy alone, without other packages, reads the bytes of a tensor as: what numpy does not have is an
/// unsigned integer of that width, and what does not fill bytes, or fills one with two numbers, is bytes.
[[nodiscard]] constexpr std::string_view npy_type(dtype type) noexcept {
  switch (type) {
    case dtype::boolean: return "|b1";
    case dtype::int8: return "|i1";
    case dtype::int16: return "<i2";
    case dtype::uint16:
    case dtype::bfloat16: return "<u2";
    case dtype::float16: return "<f2";
    case dtype::int32: return "<i4";
    case dtype::uint32: return "<u4";
    case dtype::float32: return "<f4";
    case dtype::int64: return "<i8";
    case dtype::uint64: return "<u8";
    case dtype::float64: return "<f8";
    case dtype::complex64: return "<c8";
    case dtype::complex128: return "<c16";
    case dtype::float4_e2m1:
    case dtype::float6_e2m3:
    case dtype::float6_e3m2:
    case dtype::uint8:
    case dtype::int4:
    case dtype::float8_e5m2:
    case dtype::float8_e4m3:
    case dtype::float8_e8m0:
    case dtype::float8_e4m3fnuz:
    case dtype::float8_e5m2fnuz: return "|u1";
  }
  return "|u1";
}

/// What stands before the data of a .npy file: byte for byte what numpy.save writes (numpy/lib/format.py). `extents`
/// are those of the array, not those of a tensor whose elements do not fill bytes.
[[nodiscard]] inline std::string npy_header(std::string_view type, std::span<const std::int64_t> extents) {
  std::string text = "{'descr': '" + std::string(type) + "', 'fortran_order': False, 'shape': (";
  for (std::size_t axis = 0; axis < extents.size(); ++axis) {
    if (axis > 0) text += ' ';
    text += std::to_string(extents[axis]);
    if (axis + 1 < extents.size() || axis == 0) text += ',';
  }
  text += "), }";
  // Room in which the first extent can grow to 21 digits; then up to a multiple of 64 for the whole, at least one
  // blank.
  if (!extents.empty()) text.append(21 - std::to_string(extents[0]).size(), ' ');
  const auto padding = [&](std::size_t before) { return 64 - (before + text.size() + 1) % 64; };
  const bool is_long = text.size() + padding(10) + 1 > 0xffff;
  const std::size_t before = is_long ? 12 : 10;  // magic, version and length
  text.append(padding(before), ' ').append("\n");

  std::string header = "\x93NUMPY";
  header += is_long ? '\2' : '\1';
  header += '\0';
  for (std::size_t byte = 0; byte < before - 8; ++byte) header += static_cast<char>(text.size() >> (8 * byte) & 0xff);
  return header + text;
}

}  // namespace ckpt::tools

#endif
