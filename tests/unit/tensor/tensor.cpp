#include <ckpt/tensor/tensor.hpp>

#include <doctest/doctest.h>

#include <array>
#include <complex>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "../support.hpp"

using namespace ckpt;

namespace {

std::string hex_of(const tensor& t) { return support::hex(t.bytes()); }

bool is_aligned(const tensor& t) { return reinterpret_cast<std::uintptr_t>(t.bytes().data()) % 64 == 0; }

}  // namespace

TEST_CASE("tensor: zeros") {
  const tensor t(dtype::float64, {2, 3});
  CHECK((t.type() == dtype::float64));
  CHECK(to_string(t.shape()) == "[2,3]");
  CHECK(support::hex(t.bytes()) == std::string(2 * 48, '0'));
}

TEST_CASE("tensor: of values") {
  const tensor t({2, 2}, {std::int16_t{1}, std::int16_t{-1}, std::int16_t{2}, std::int16_t{256}});
  CHECK((t.type() == dtype::int16));
  CHECK(support::hex(t.bytes()) == "0100ffff02000001");
}

TEST_CASE("tensor: of the values of a range") {
  const std::vector<float> values{1.0F, -2.0F};
  CHECK(hex_of(tensor({2}, values)) == "0000803f000000c0");
  CHECK(hex_of(tensor({2, 1}, std::span<const float>(values))) == "0000803f000000c0");
  CHECK(hex_of(tensor({0}, std::vector<double>())).empty());
  std::array<std::uint8_t, 2> fixed{4, 5};
  CHECK(hex_of(tensor({2}, fixed)) == "0405");
  CHECK(hex_of(tensor({2}, std::span(fixed))) == "0405");
  const std::int16_t plain[] = {1, 2};
  CHECK(hex_of(tensor({1, 2}, plain)) == "01000200");
  CHECK_FALSE(std::is_constructible_v<tensor, shape, std::vector<bool>>);  // bits, not bytes
  CHECK_FALSE(std::is_constructible_v<tensor, shape, std::vector<std::string>>);
}

TEST_CASE("tensor: of half precision, complex and packed values") {
  CHECK(hex_of(tensor({2}, {float16(1.0F), float16(-2.0F)})) == "003c00c0");
  CHECK(hex_of(tensor(shape{}, {bfloat16(1.5F)})) == "c03f");
  CHECK(hex_of(tensor({1}, {std::complex<float>(1.0F, -2.0F)})) == "0000803f000000c0");
  CHECK(hex_of(tensor({2}, {int4x2{0x12}, int4x2{0x34}})) == "1234");
  CHECK(hex_of(tensor({2}, {true, false})) == "0100");
}

TEST_CASE("tensor: of bytes") {
  const std::string raw = support::unhex("0000803f000000c0");
  const tensor t = tensor::from_bytes(dtype::float32, {2}, support::bytes(raw));
  CHECK(t.as<float>()[1] == -2.0F);
  CHECK(hex_of(tensor::from_bytes(dtype::float4_e2m1, {4}, support::bytes("ab"))) == "6162");
}

TEST_CASE("tensor: 0-d and empty") {
  const tensor zero_d(shape{}, {7});
  CHECK(zero_d.as<int>()[0] == 7);
  const tensor none(dtype::int32, {3, 0});
  CHECK(none.bytes().empty());
  const tensor of_nothing({0}, std::initializer_list<float>{});
  CHECK(of_nothing.as<float>().empty());
  CHECK(to_string(none.shape()) == "[3,0]");
}

TEST_CASE("tensor: aligned to 64 bytes, whatever its size") {
  int misaligned = 0;
  std::vector<tensor> kept;
  for (std::int64_t size = 1; size < 300; ++size) {
    kept.emplace_back(dtype::uint8, shape{size});
    if (!is_aligned(kept.back())) ++misaligned;
  }
  CHECK(misaligned == 0);
}

TEST_CASE("tensor: a copy has elements of its own") {
  tensor a({2}, {1, 2});
  tensor b = a;
  b.as<int>()[0] = 7;
  CHECK(a.as<int>()[0] == 1);
  a = b;
  CHECK(a.as<int>()[0] == 7);
  CHECK(a.bytes().data() != b.bytes().data());
  const tensor& same = a;
  a = same;
  CHECK(a.as<int>()[1] == 2);
}

TEST_CASE("tensor: a move keeps the elements where they are") {
  tensor a({2, 1}, {1, 2});
  const std::byte* const place = a.bytes().data();
  tensor b = std::move(a);
  CHECK(b.bytes().data() == place);
  CHECK(to_string(b.shape()) == "[2,1]");
  CHECK(a.bytes().empty());  // NOLINT(bugprone-use-after-move): empty is promised
  CHECK(to_string(a.shape()) == "[0]");
  tensor c({3}, {1.0F, 2.0F, 3.0F});
  c = std::move(b);
  CHECK(c.bytes().data() == place);
  CHECK((c.type() == dtype::int32));
}

TEST_CASE("tensor: as gives elements to read and to write") {
  tensor t({3}, {1.0F, 2.0F, 3.0F});
  t.as<float>()[1] = 5.0F;
  const tensor& read = t;
  const std::span<const float> elements = read.as<float>();
  CHECK(elements.size() == 3);
  CHECK(elements[1] == 5.0F);
}

TEST_CASE("tensor refuses: elements of another type") {
  tensor t({1}, {1.0F});
  const auto e = support::error_of<mismatch_error>([&] { (void)t.as<int>(); });
  CHECK(std::string(e.what()) == "the tensor holds float32, not int32");
  CHECK(e.code() == errc::dtype_mismatch);
  CHECK(e.expected() == "int32");
  CHECK(e.found() == "float32");
  const tensor& read = t;
  CHECK(support::message_of<mismatch_error>([&] { (void)read.as<bool>(); }) == "the tensor holds float32, not bool");
}

TEST_CASE("tensor refuses: another number of values or bytes, and shapes that are none") {
  CHECK(support::message_of<usage_error>([] { tensor({3}, {1, 2}); }) == "int32[3] takes 12 bytes, not 8");
  CHECK(support::message_of<usage_error>([] { (void)tensor::from_bytes(dtype::int16, {1}, support::bytes("abc")); }) ==
        "int16[1] takes 2 bytes, not 3");
  CHECK(support::message_of<usage_error>([] { tensor(dtype::float32, {-1}); }) == "float32[-1] is not a tensor");
  CHECK(support::message_of<usage_error>([] { tensor(dtype::float4_e2m1, {3}); }) == "float4_e2m1[3] is not a tensor");
}

TEST_CASE("tensor refuses: bytes of a bool that are neither 0 nor 1") {
  CHECK(hex_of(tensor::from_bytes(dtype::boolean, {2}, support::bytes(std::string("\1\0", 2)))) == "0100");
  CHECK(support::message_of<usage_error>([] {
          (void)tensor::from_bytes(dtype::boolean, {2}, support::bytes("\1\2"));
        }) == "a bool is neither 0 nor 1");
}

TEST_CASE("tensor: is viewed as it is") {
  const tensor t({2}, {1, 2});
  const tensor_view view = t;
  CHECK(view.bytes().data() == t.bytes().data());
  CHECK((view.type() == dtype::int32));
  CHECK(to_string(view.shape()) == "[2]");
  CHECK(!std::is_convertible_v<tensor, tensor_view>);  // of a temporary: it would outlive its elements
}

TEST_CASE("tensor: of empty braces and a value, 0-d") {
  const tensor t({}, {7});
  CHECK(t.shape().size() == 0);
  CHECK(t.as<int>()[0] == 7);
}

TEST_CASE("tensor: a large one begins with a huge page") {
  const tensor t(dtype::uint8, {4 << 20});
  CHECK(reinterpret_cast<std::uintptr_t>(t.bytes().data()) % (std::size_t{2} << 20) == 0);
}
