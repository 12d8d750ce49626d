#include <ckpt/tensor/tensor_traits.hpp>

#include <doctest/doctest.h>

#include <array>
#include <complex>
#include <deque>
#include <initializer_list>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "../support.hpp"

using namespace ckpt;

namespace {

struct matrix {
  std::int64_t rows;
  std::int64_t columns;
  std::vector<double> values;
};

struct column {  // every `step`-th element
  const float* first;
  std::int64_t count;
  std::int64_t step;
};

/// What the traits of a type make of an object: `float32[2,3] 0000…`
template <class T>
std::string seen(const T& object) {
  const tensor_view& view = tensor_traits<T>::view(object);
  std::vector<std::byte> content(static_cast<std::size_t>(view.size_bytes()));
  view.copy_to(0, content);
  return std::string(name(view.type())) + to_string(view.shape()) + " " + support::hex(content);
}

}  // namespace

template <>
struct ckpt::tensor_traits<matrix> {
  static tensor_view view(const matrix& m) { return {std::span(m.values), {m.rows, m.columns}}; }
};

template <>
struct ckpt::tensor_traits<column> {
  static tensor_view view(const column& c) {
    return tensor_view::strided(dtype::float32, {c.count}, c.first, {c.step});
  }
};

TEST_CASE("tensor_traits: tensor and tensor_view") {
  const tensor t({2, 1}, {1, 2});
  CHECK(seen(t) == "int32[2,1] 0100000002000000");
  const tensor_view view = t;
  CHECK(&tensor_traits<tensor_view>::view(view) == &view);
}

TEST_CASE("tensor_traits: contiguous ranges of scalars are one axis") {
  CHECK(seen(std::vector<float>{1.0F, 2.0F}) == "float32[2] 0000803f00000040");
  CHECK(seen(std::array<std::int8_t, 3>{1, 2, 3}) == "int8[3] 010203");
  const std::uint16_t plain[]{1, 2};
  CHECK(seen(plain) == "uint16[2] 01000200");
  const std::vector<std::complex<float>> complex{{1.0F, 0.0F}};
  CHECK(seen(std::span<const std::complex<float>>(complex)) == "complex64[1] 0000803f00000000");
  CHECK(seen(std::vector<float16>{float16(1.0F)}) == "float16[1] 003c");
  CHECK(seen(std::vector<float>{}) == "float32[0] ");
  CHECK(seen(std::initializer_list<int>{1}) == "int32[1] 01000000");
}

TEST_CASE("tensor_traits: arrays of arrays have an axis for each") {
  const std::int8_t two[2][3]{{1, 2, 3}, {4, 5, 6}};
  CHECK(seen(two) == "int8[2,3] 010203040506");
  const bool three[1][2][2]{{{true, false}, {false, true}}};
  CHECK(seen(three) == "bool[1,2,2] 01000001");
}

TEST_CASE("tensor_traits: a program's own types") {
  CHECK(seen(matrix{1, 2, {1.0, 2.0}}) == "float64[1,2] 000000000000f03f0000000000000040");
  const std::array<float, 3> values{1.0F, 9.0F, 2.0F};
  CHECK(seen(column{values.data(), 2, 2}) == "float32[2] 0000803f00000040");
}

TEST_CASE("tensor_traits: a description that is not consistent is an error") {
  CHECK(support::message_of<usage_error>([] { (void)tensor_traits<matrix>::view({2, 2, {1.0}}); }) ==
        "float64[2,2] takes 32 bytes, not 8");
}

TEST_CASE("tensor_like: values and references of all these, and nothing else") {
  CHECK(tensor_like<tensor>);
  CHECK(tensor_like<tensor_view>);
  CHECK(tensor_like<std::span<const float>>);
  CHECK(tensor_like<tensor&>);
  CHECK(tensor_like<const std::vector<int>&>);
  CHECK(tensor_like<matrix>);
  CHECK(tensor_like<const float[2][2]>);
  CHECK(!tensor_like<std::vector<bool>>);  // has no elements in memory
  CHECK(!tensor_like<std::deque<float>>);  // not contiguous
  CHECK(!tensor_like<std::list<float>>);
  CHECK(!tensor_like<std::vector<std::vector<float>>>);
  CHECK(!tensor_like<std::vector<tensor>>);
  CHECK(!tensor_like<std::string>);
  CHECK(!tensor_like<std::vector<char>>);
  CHECK(!tensor_like<std::vector<std::byte>>);
  CHECK(!tensor_like<float*>);
  CHECK(!tensor_like<const char*>);
  CHECK(!tensor_like<char[4]>);
  CHECK(!tensor_like<std::optional<tensor>>);
  CHECK(!tensor_like<int>);
}
