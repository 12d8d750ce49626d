#include <ckpt/tensor/tensor_view.hpp>

#include <doctest/doctest.h>

#include <array>
#include <complex>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "../support.hpp"

using namespace ckpt;

namespace {

template <class Call>
std::string refused(Call call) {
  return support::message_of<usage_error>(call);
}

const std::array<std::byte, 64> some_bytes{};

std::span<const std::byte> bytes(std::size_t size) { return std::span(some_bytes).first(size); }

/// The packed content by the definition: for each index in row-major order, the element at the sum of index * stride.
std::string gathered(std::size_t width, const shape& extents, const std::byte* first, const shape& strides) {
  std::string out;
  const std::uint64_t count = *element_count(extents);
  std::vector<std::int64_t> index(extents.size(), 0);
  for (std::uint64_t i = 0; i < count; ++i) {
    std::int64_t at = 0;
    for (std::size_t axis = 0; axis < extents.size(); ++axis) at += index[axis] * strides[axis];
    out.append(reinterpret_cast<const char*>(first) + at * static_cast<std::int64_t>(width), width);
    for (std::size_t axis = extents.size(); axis-- > 0;) {
      if (++index[axis] < extents[axis]) break;
      index[axis] = 0;
    }
  }
  return out;
}

std::string copied(const tensor_view& view, std::uint64_t offset, std::size_t size) {
  std::vector<std::byte> to(size);
  view.copy_to(offset, to);
  return support::text(to);
}

}  // namespace

TEST_CASE("content_size: bytes of packed elements") {
  CHECK(content_size(dtype::float32, shape{2, 3}) == 24);
  CHECK(content_size(dtype::complex128, shape{}) == 16);
  CHECK(content_size(dtype::boolean, shape{0, 5}) == 0);
  CHECK(content_size(dtype::int4, shape{5}) == 5);
}

TEST_CASE("content_size: elements of 4 and 6 bits fill whole bytes, or are none") {
  CHECK(content_size(dtype::float4_e2m1, shape{6}) == 3);
  CHECK(!content_size(dtype::float4_e2m1, shape{5}));
  CHECK(!content_size(dtype::float4_e2m1, shape{}));
  CHECK(content_size(dtype::float6_e3m2, shape{4}) == 3);
  CHECK(!content_size(dtype::float6_e2m3, shape{2}));
  CHECK(content_size(dtype::float6_e2m3, shape{0}) == 0);
}

TEST_CASE("content_size: up to 2^63 - 1 bytes") {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  CHECK(content_size(dtype::uint8, shape{most}) == 9223372036854775807U);
  CHECK(!content_size(dtype::int16, shape{most}));
  CHECK(content_size(dtype::int16, shape{most / 2}) == 9223372036854775806U);
  CHECK(!content_size(dtype::complex128, shape{std::int64_t{1} << 59}));
  CHECK(content_size(dtype::complex128, shape{(std::int64_t{1} << 59) - 1}) == 9223372036854775792U);
  CHECK(!content_size(dtype::float6_e2m3, shape{most - 3}));
  CHECK(!content_size(dtype::float32, shape{-1}));
}

TEST_CASE("tensor_view: of bytes") {
  const tensor_view view(dtype::int16, {2, 3}, bytes(12));
  CHECK((view.type() == dtype::int16));
  CHECK(to_string(view.shape()) == "[2,3]");
  CHECK(view.size_bytes() == 12);
  CHECK(view.is_contiguous());
  CHECK(view.bytes().data() == some_bytes.data());
  CHECK(view.bytes().size() == 12);
}

TEST_CASE("tensor_view: of values") {
  const std::vector<std::int16_t> values{1, 2, 3, 256};
  const tensor_view view(std::span<const std::int16_t>(values), {2, 2});
  CHECK((view.type() == dtype::int16));
  CHECK(support::hex(view.bytes()) == "0100020003000001");
}

TEST_CASE("tensor_view: of values that may change, and of as many as the type says") {
  std::vector<std::uint8_t> values{1, 2};
  const std::span<std::uint8_t> changing = values;
  const tensor_view view(changing, {2});
  values[0] = 3;
  CHECK(support::hex(view.bytes()) == "0302");
  const std::array<std::uint8_t, 2> fixed{4, 5};
  const std::span<const std::uint8_t, 2> two = fixed;
  CHECK(support::hex(tensor_view(two, {1, 2}).bytes()) == "0405");
}

TEST_CASE("tensor_view: 0-d and empty") {
  const float value = 1.0F;
  CHECK(support::hex(tensor_view(std::span<const float>(&value, 1), {}).bytes()) == "0000803f");
  CHECK(tensor_view(dtype::float32, {3, 0}, {}).bytes().empty());
  CHECK(tensor_view(std::span<const double>(), {0}).size_bytes() == 0);
}

TEST_CASE("tensor_view refuses: bytes that are not what dtype and shape take") {
  const auto e = support::error_of<usage_error>([] { tensor_view(dtype::float32, {2, 3}, bytes(20)); });
  CHECK(std::string(e.what()) == "float32[2,3] takes 24 bytes, not 20");
  CHECK(e.code() == errc::shape_mismatch);
  CHECK(e.expected() == "24");
  CHECK(e.found() == "20");
  CHECK(refused([] { tensor_view(dtype::uint8, {}, {}); }) == "uint8[] takes 1 bytes, not 0");
  const std::array<float, 3> three{};
  CHECK(refused([&] { tensor_view(std::span<const float>(three), {2}); }) == "float32[2] takes 8 bytes, not 12");
}

TEST_CASE("tensor_view refuses: shapes that are none") {
  const std::string why =
      " is not a tensor: an extent is negative, the size passes 2^63 bytes, or its elements end inside a byte";
  CHECK(refused([] { tensor_view(dtype::float32, {2, -1}, {}); }) == "float32[2,-1]" + why);
  CHECK(refused([] { tensor_view(dtype::float4_e2m1, {3}, bytes(2)); }) == "float4_e2m1[3]" + why);
  CHECK(refused([] { tensor_view(dtype::int64, {std::int64_t{1} << 60}, {}); }) == "int64[1152921504606846976]" + why);
  CHECK(refused([] { (void)tensor_view::strided(dtype::int8, {-1}, some_bytes.data(), {1}); }) == "int8[-1]" + why);
}

TEST_CASE("tensor_view refuses: strides of another rank, and of elements that are no bytes") {
  CHECK(refused([] { (void)tensor_view::strided(dtype::int8, {2, 3}, some_bytes.data(), {1}); }) ==
        "a strided tensor needs one stride per axis: shape [2,3], strides [1]");
  CHECK(refused([] { (void)tensor_view::strided(dtype::float4_e2m1, {2}, some_bytes.data(), {1}); }) ==
        "elements of 4 or 6 bits cannot be strided: pack them first");
}

TEST_CASE("tensor_view: a transposed matrix") {
  const std::array<std::uint8_t, 6> m{1, 2, 3, 4, 5, 6};  // [2,3]
  const tensor_view view = tensor_view::strided(dtype::uint8, {3, 2}, m.data(), {1, 3});
  CHECK(!view.is_contiguous());
  CHECK(view.size_bytes() == 6);
  CHECK(support::hex(copied(view, 0, 6)) == "010402050306");
  CHECK(support::hex(copied(view, 2, 3)) == "020503");
}

TEST_CASE("tensor_view: negative strides go backwards, stride 0 repeats") {
  const std::array<std::uint16_t, 3> m{1, 2, 3};
  const tensor_view backwards = tensor_view::strided(dtype::uint16, {3}, &m[2], {-1});
  CHECK(support::hex(copied(backwards, 0, 6)) == "030002000100");
  const tensor_view repeated = tensor_view::strided(dtype::uint16, {2, 3}, m.data(), {0, 1});
  CHECK(support::hex(copied(repeated, 0, 12)) == "010002000300010002000300");
  const tensor_view one = tensor_view::strided(dtype::uint16, {4}, &m[1], {0});
  CHECK(support::hex(copied(one, 0, 8)) == "0200020002000200");
}

TEST_CASE("tensor_view: bytes of a strided tensor are refused, with the way out") {
  const tensor_view view = tensor_view::strided(dtype::uint8, {3}, some_bytes.data(), {2});
  const auto e = support::error_of<mismatch_error>([&] { (void)view.bytes(); });
  CHECK(std::string(e.what()) == "a strided tensor has no packed bytes: copy it out with copy_to");
  CHECK(e.code() == errc::not_contiguous);
}

TEST_CASE("tensor_view: strides of a packed tensor make it contiguous") {
  const auto contiguous = [](shape extents, shape strides) {
    return tensor_view::strided(dtype::float32, std::move(extents), some_bytes.data(), std::move(strides))
        .is_contiguous();
  };
  CHECK(contiguous({2, 3}, {3, 1}));
  CHECK(contiguous({}, {}));
  CHECK(contiguous({1}, {77}));  // the stride of one element means nothing
  CHECK(contiguous({2, 1, 3}, {3, -9, 1}));
  CHECK(contiguous({1, 2, 3}, {0, 3, 1}));
  CHECK(contiguous({0, 3}, {-7, 12}));  // and that of no element neither
  CHECK(!contiguous({2, 3}, {1, 2}));
  CHECK(!contiguous({2, 3}, {4, 1}));
  CHECK(!contiguous({2}, {0}));
  CHECK(!contiguous({2}, {-1}));
}

TEST_CASE("tensor_view: random strided tensors against the definition") {
  support::numbers random(5);
  std::vector<std::uint8_t> memory(1 << 16);
  for (std::uint8_t& byte : memory) byte = static_cast<std::uint8_t>(random.next());
  int wrong = 0;
  std::string example;
  for (int round = 0; round < 4000; ++round) {
    const std::array<dtype, 5> types{dtype::int8, dtype::bfloat16, dtype::float32, dtype::complex64, dtype::complex128};
    const dtype type = types[random.below(types.size())];
    const std::size_t width = info(type).bits / 8U;
    std::vector<std::int64_t> extents;
    std::vector<std::int64_t> strides;
    std::int64_t low = 0;  // of the elements that are reached
    std::int64_t high = 0;
    for (std::uint64_t rank = random.below(5); rank > 0; --rank) {
      extents.push_back(random.between(1, 6));
      strides.push_back(random.between(-20, 20));
      (strides.back() < 0 ? low : high) += (extents.back() - 1) * strides.back();
    }
    const std::int64_t first = -low + random.between(0, 5);
    REQUIRE(static_cast<std::size_t>(first + high + 1) * width <= memory.size());
    const std::byte* const from = std::as_bytes(std::span(memory)).data() + first * static_cast<std::int64_t>(width);
    const tensor_view view = tensor_view::strided(type, shape(extents), from, shape(strides));
    const std::string expected = gathered(width, shape(extents), from, shape(strides));
    const std::uint64_t begin = random.below(expected.size() / width + 1);
    const std::uint64_t count = random.below(expected.size() / width - begin + 1);
    std::vector<std::uint8_t> other(memory.size());
    std::byte* const to =
        std::as_writable_bytes(std::span(other)).data() + (from - std::as_bytes(std::span(memory)).data());
    view.scatter(support::bytes(expected).data(), to);
    for (std::size_t i = 0; i < other.size(); ++i) wrong += other[i] == 0 || other[i] == memory[i] ? 0 : 1;
    const bool same = gathered(width, shape(extents), to, shape(strides)) == expected &&
                      view.size_bytes() == expected.size() && copied(view, 0, expected.size()) == expected &&
                      copied(view, begin * width, count * width) == expected.substr(begin * width, count * width);
    if (same) continue;
    ++wrong;
    example = to_string(shape(extents)) + " by " + to_string(shape(strides));
  }
  INFO(example);
  CHECK(wrong == 0);
}

TEST_CASE("tensor_view: reads no element that the strides do not reach") {
  const std::vector<std::uint32_t> exact{1, 2, 3, 4, 5};  // on the heap: the sanitizer guards both ends
  const tensor_view every_other = tensor_view::strided(dtype::uint32, {3}, exact.data(), {2});
  CHECK(support::hex(copied(every_other, 0, 12)) == "010000000300000005000000");
  const tensor_view backwards = tensor_view::strided(dtype::uint32, {3}, &exact[4], {-2});
  CHECK(support::hex(copied(backwards, 0, 12)) == "050000000300000001000000");
}

TEST_CASE("tensor_view: elements at odd addresses") {
  std::array<std::byte, 33> memory{};
  const std::complex<double> value(1.0, -2.0);
  std::memcpy(memory.data() + 1, &value, sizeof value);
  std::memcpy(memory.data() + 17, &value, sizeof value);
  const tensor_view view = tensor_view::strided(dtype::complex128, {3}, memory.data() + 17, {-1});
  CHECK(support::hex(copied(view, 0, 16)) == "000000000000f03f00000000000000c0");
  CHECK(copied(tensor_view(dtype::complex128, {2}, std::span(memory).subspan(1)), 16, 16) == copied(view, 0, 16));
}

TEST_CASE("tensor_view: nothing can be copied out") {
  CHECK(copied(tensor_view(dtype::float32, {0}, {}), 0, 0).empty());
  CHECK(copied(tensor_view::strided(dtype::float32, {3, 0}, nullptr, {1, 1}), 0, 0).empty());
  tensor_view::strided(dtype::float32, {3, 0}, nullptr, {1, 1}).scatter(nullptr, nullptr);
}
