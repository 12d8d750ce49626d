#include <ckpt/tensor/dtype.hpp>

#include <doctest/doctest.h>

#include <complex>
#include <string>

using namespace ckpt;

namespace {

static_assert(
    [] {
      for (std::size_t i = 0; i < dtype_table.size(); ++i)
        if (static_cast<std::size_t>(dtype_table[i].type) != i) return false;
      return true;
    }(),
    "a row of dtype_table stands where its dtype says");
static_assert(dtype_of<float> == dtype::float32 && dtype_of<long long> == dtype::int64 &&
              dtype_of<std::uint8_t> == dtype::uint8);
static_assert(!scalar<char> && !scalar<void*> && scalar<const bool>);
static_assert(dtype_from_mindspore("BFloat16") == &info(dtype::bfloat16) && !dtype_from_mindspore("") &&
              !dtype_from_safetensors("f32"));

}  // namespace

TEST_CASE("dtype: the whole table") {
  std::string table;
  for (const dtype_info& row : dtype_table) {
    table.append(row.name).append(" ").append(std::to_string(row.bits)).append(" ");
    table.append(row.mindspore.empty() ? "-" : row.mindspore).append(" ");
    table.append(row.safetensors.empty() ? "-" : row.safetensors).append("\n");
  }
  CHECK(table ==
        "bool 8 Bool BOOL\n"
        "float4_e2m1 4 - F4\n"
        "float6_e2m3 6 - F6_E2M3\n"
        "float6_e3m2 6 - F6_E3M2\n"
        "uint8 8 UInt8 U8\n"
        "int8 8 Int8 I8\n"
        "int4 8 Int4 -\n"
        "float8_e5m2 8 - F8_E5M2\n"
        "float8_e4m3 8 - F8_E4M3\n"
        "float8_e8m0 8 - F8_E8M0\n"
        "float8_e4m3fnuz 8 - F8_E4M3FNUZ\n"
        "float8_e5m2fnuz 8 - F8_E5M2FNUZ\n"
        "int16 16 Int16 I16\n"
        "uint16 16 UInt16 U16\n"
        "float16 16 Float16 F16\n"
        "bfloat16 16 BFloat16 BF16\n"
        "int32 32 Int32 I32\n"
        "uint32 32 UInt32 U32\n"
        "float32 32 Float32 F32\n"
        "complex64 64 Complex64 C64\n"
        "float64 64 Float64 F64\n"
        "int64 64 Int64 I64\n"
        "uint64 64 UInt64 U64\n"
        "complex128 128 Complex128 -\n");
}

TEST_CASE("dtype: every name finds its row again, in each of the three columns") {
  for (const dtype_info& row : dtype_table) {
    CHECK(name(row.type) == row.name);
    CHECK(dtype_from_name(row.name) == &row);
    if (!row.mindspore.empty()) CHECK(dtype_from_mindspore(row.mindspore) == &row);
    if (!row.safetensors.empty()) CHECK(dtype_from_safetensors(row.safetensors) == &row);
  }
}

TEST_CASE("dtype: names are not guessed") {
  for (const char* wrong : {"", "Float", "float", "FLOAT32", "f32", "Float32 ", "str", "F32\n", "-"}) {
    INFO(wrong);
    CHECK(!dtype_from_name(wrong));
    CHECK(!dtype_from_mindspore(wrong));
    CHECK(!dtype_from_safetensors(wrong));
  }
  CHECK(!dtype_from_name("Float32"));
  CHECK(!dtype_from_mindspore("float32"));
  CHECK(!dtype_from_safetensors("float32"));
}

TEST_CASE("dtype_of: C++ types") {
  CHECK((dtype_of<bool> == dtype::boolean));
  CHECK((dtype_of<signed char> == dtype::int8));
  CHECK((dtype_of<unsigned char> == dtype::uint8));
  CHECK((dtype_of<short> == dtype::int16));
  CHECK((dtype_of<unsigned short> == dtype::uint16));
  CHECK((dtype_of<int> == dtype::int32));
  CHECK((dtype_of<unsigned> == dtype::uint32));
  CHECK((dtype_of<long> == (sizeof(long) == 8 ? dtype::int64 : dtype::int32)));
  CHECK((dtype_of<unsigned long long> == dtype::uint64));
  CHECK((dtype_of<ckpt::float16> == dtype::float16));
  CHECK((dtype_of<ckpt::bfloat16> == dtype::bfloat16));
  CHECK((dtype_of<float> == dtype::float32));
  CHECK((dtype_of<double> == dtype::float64));
  CHECK((dtype_of<std::complex<float>> == dtype::complex64));
  CHECK((dtype_of<std::complex<double>> == dtype::complex128));
  CHECK((dtype_of<int4x2> == dtype::int4));
  CHECK((dtype_of<ckpt::float8_e4m3> == dtype::float8_e4m3));
  CHECK((dtype_of<ckpt::float8_e5m2> == dtype::float8_e5m2));
  CHECK((dtype_of<ckpt::float8_e8m0> == dtype::float8_e8m0));
  CHECK((dtype_of<ckpt::float8_e4m3fnuz> == dtype::float8_e4m3fnuz));
  CHECK((dtype_of<ckpt::float8_e5m2fnuz> == dtype::float8_e5m2fnuz));
  CHECK((dtype_of<const volatile float> == dtype::float32));
}

TEST_CASE("dtype_of: an element takes the bytes that the table says") {
  CHECK(sizeof(std::complex<double>) * 8 == info(dtype_of<std::complex<double>>).bits);
  CHECK(sizeof(ckpt::bfloat16) * 8 == info(dtype_of<ckpt::bfloat16>).bits);
  CHECK(sizeof(bool) * 8 == info(dtype::boolean).bits);
}

namespace {

enum class color { red };
struct real_and_imag {  // looks like std::complex from afar
  float real() const { return 0; }
  float imag() const { return 0; }
};

}  // namespace

TEST_CASE("scalar: what is text, or has no dtype, is none") {
  CHECK(!scalar<char>);
  CHECK(!scalar<wchar_t>);
  CHECK(!scalar<char8_t>);
  CHECK(!scalar<char16_t>);
  CHECK(!scalar<char32_t>);
  CHECK(!scalar<std::byte>);
  CHECK(!scalar<color>);
  CHECK(!scalar<long double>);
  CHECK(!scalar<std::complex<long double>>);
  CHECK(!scalar<std::complex<int>>);
  CHECK(!scalar<real_and_imag>);
  CHECK(!scalar<void>);
  CHECK(!scalar<float*>);
  CHECK(!scalar<float&>);
  CHECK(!scalar<float[2]>);
}
