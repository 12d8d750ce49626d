#include <ckpt/tensor/slice.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "../support.hpp"

using namespace ckpt;

namespace {

std::string runs(dtype type, const shape& whole, const slice& box) {
  std::string out;
  for_each_run(type, whole, box, [&](std::uint64_t offset, std::uint64_t size) {
    out.append(out.empty() ? "" : " ").append(std::to_string(offset) + "+" + std::to_string(size));
  });
  return out;
}

std::string refused(const shape& whole, const slice& box) {
  return support::message_of<usage_error>([&] { (void)box.shape_in(whole); });
}

}  // namespace

TEST_CASE("slice: its shape") {
  CHECK(to_string(slice{}.shape_in(shape{2, 3})) == "[2,3]");
  CHECK(to_string(slice{{0, 2}}.shape_in(shape{5, 3})) == "[2,3]");
  CHECK(to_string(slice{{1, 2}, {0, 3}}.shape_in(shape{5, 3})) == "[1,3]");
  CHECK(to_string(slice{{1, 1}}.shape_in(shape{5, 3})) == "[0,3]");
  CHECK(to_string(slice{}.shape_in(shape{})) == "[]");
}

TEST_CASE("slice refuses: a range that does not lie within its axis") {
  CHECK(refused({5, 3}, {{0, 6}}) == "the slice [0,6) of axis 0 does not fit shape [5,3]");
  CHECK(refused({5, 3}, {{0, 5}, {-1, 2}}) == "the slice [-1,2) of axis 1 does not fit shape [5,3]");
  CHECK(refused({5, 3}, {{3, 2}}) == "the slice [3,2) of axis 0 does not fit shape [5,3]");
  CHECK(refused({0}, {{0, 1}}) == "the slice [0,1) of axis 0 does not fit shape [0]");
}

TEST_CASE("slice refuses: more ranges than axes") {
  CHECK(refused({5}, {{0, 1}, {0, 1}}) == "a slice of 2 axes does not fit shape [5]");
  CHECK(refused({}, {{0, 1}}) == "a slice of 1 axes does not fit shape []");
}

TEST_CASE("for_each_run: what is whole is one run") {
  CHECK(runs(dtype::float32, {2, 3}, {}) == "0+24");
  CHECK(runs(dtype::float32, {}, {}) == "0+4");
  CHECK(runs(dtype::float32, {2, 3}, {{0, 2}, {0, 3}}) == "0+24");
}

TEST_CASE("for_each_run: rows are one run, columns one for each row") {
  CHECK(runs(dtype::float32, {5, 3}, {{1, 3}}) == "12+24");
  CHECK(runs(dtype::float32, {3, 5}, {{0, 3}, {1, 3}}) == "4+8 24+8 44+8");
  CHECK(runs(dtype::int8, {2, 2, 4}, {{0, 2}, {1, 2}, {1, 3}}) == "5+2 13+2");
  CHECK(runs(dtype::int8, {3, 4, 5}, {{1, 3}, {2, 3}}) == "30+5 50+5");
}

TEST_CASE("for_each_run: nothing has no runs") {
  CHECK(runs(dtype::float32, {5, 3}, {{2, 2}}).empty());
  CHECK(runs(dtype::float32, {5, 0}, {}).empty());
  CHECK(runs(dtype::float4_e2m1, {0}, {}).empty());
}

TEST_CASE("for_each_run: 4 and 6 bit elements in whole bytes") {
  CHECK(runs(dtype::float4_e2m1, {3, 4}, {{0, 3}, {2, 4}}) == "1+1 3+1 5+1");
  CHECK(runs(dtype::float4_e2m1, {4, 3}, {{2, 4}}) == "3+3");
  CHECK(runs(dtype::float6_e2m3, {8}, {{4, 8}}) == "3+3");
}

TEST_CASE("for_each_run refuses: 4 and 6 bit elements cut inside a byte") {
  const auto cut = [](dtype type, const shape& whole, const slice& box) {
    return support::message_of<usage_error>([&] { (void)runs(type, whole, box); });
  };
  CHECK(cut(dtype::float4_e2m1, {4}, {{1, 3}}) ==
        "the slice cuts float4_e2m1 elements inside a byte: take a multiple of 8 bits along the last axis");
  CHECK(cut(dtype::float4_e2m1, {4}, {{0, 3}}) ==
        "the slice cuts float4_e2m1 elements inside a byte: take a multiple of 8 bits along the last axis");
  CHECK(cut(dtype::float6_e3m2, {8}, {{2, 6}}) ==
        "the slice cuts float6_e3m2 elements inside a byte: take a multiple of 8 bits along the last axis");
  CHECK(cut(dtype::float4_e2m1, {2, 3}, {{0, 1}}) ==
        "the slice cuts float4_e2m1 elements inside a byte: take a multiple of 8 bits along the last axis");
}

TEST_CASE("for_each_run refuses: a later run cut inside a byte, before the first is used") {
  int used = 0;
  const auto count = [&](std::uint64_t, std::uint64_t) { ++used; };
  CHECK_THROWS_AS(for_each_run(dtype::float4_e2m1, std::array<std::int64_t, 2>{2, 3}, {{0, 2}, {0, 2}}, count),
                  usage_error);
  CHECK_THROWS_AS(
      for_each_run(dtype::float6_e2m3, std::array<std::int64_t, 3>{2, 3, 6}, {{0, 2}, {0, 2}, {0, 4}}, count),
      usage_error);
  CHECK(used == 0);
  for_each_run(dtype::float4_e2m1, std::array<std::int64_t, 2>{2, 3}, {{0, 1}, {0, 2}},
               count);  // its only run is whole
  CHECK(used == 1);
}

TEST_CASE("for_each_run: random boxes against the definition, in runs as long as can be") {
  support::numbers random(9);
  int wrong = 0;
  int short_runs = 0;
  std::string example;
  for (int round = 0; round < 5000; ++round) {
    const dtype type = random.below(2) == 0 ? dtype::int8 : dtype::complex128;
    const std::uint64_t width = info(type).bits / 8U;
    std::vector<std::int64_t> whole;
    std::vector<axis_range> ranges;
    for (std::uint64_t rank = random.below(5); rank > 0; --rank) whole.push_back(random.between(1, 5));
    for (std::size_t given = random.below(whole.size() + 1); ranges.size() < given;) {
      const std::int64_t begin = random.between(0, whole[ranges.size()]);
      const bool all = random.below(3) == 0;
      ranges.push_back(all ? axis_range{0, whole[ranges.size()]}
                           : axis_range{begin, random.between(begin, whole[ranges.size()])});
    }
    // Which bytes a naive loop over the elements takes, in its order.
    std::vector<std::uint64_t> expected;
    const std::uint64_t count = *element_count(whole);
    for (std::uint64_t element = 0; element < count; ++element) {
      std::uint64_t rest = element;
      bool inside = true;
      for (std::size_t axis = whole.size(); axis-- > 0;) {
        const auto extent = static_cast<std::uint64_t>(whole[axis]);
        const auto index = static_cast<std::int64_t>(rest % extent);
        rest /= extent;
        if (axis < ranges.size()) inside = inside && index >= ranges[axis].begin && index < ranges[axis].end;
      }
      for (std::uint64_t byte = 0; inside && byte < width; ++byte) expected.push_back(element * width + byte);
    }
    slice box;
    switch (ranges.size()) {  // a slice is written down by people: it has no other constructor
      case 0: break;
      case 1: box = {ranges[0]}; break;
      case 2: box = {ranges[0], ranges[1]}; break;
      case 3: box = {ranges[0], ranges[1], ranges[2]}; break;
      default: box = {ranges[0], ranges[1], ranges[2], ranges[3]};
    }
    std::vector<std::uint64_t> found;
    std::uint64_t last_end = ~std::uint64_t{0};
    for_each_run(type, whole, box, [&](std::uint64_t offset, std::uint64_t size) {
      if (offset == last_end || size == 0) ++short_runs;
      last_end = offset + size;
      for (std::uint64_t byte = 0; byte < size; ++byte) found.push_back(offset + byte);
    });
    if (found == expected) continue;
    ++wrong;
    example = to_string(whole);
  }
  INFO(example);
  CHECK(wrong == 0);
  CHECK(short_runs == 0);
}
