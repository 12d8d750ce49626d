#include <ckpt/tensor/shape.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <span>
#include <string>
#include <vector>

using namespace ckpt;

namespace {

/// 1, 2, 3, ... of `rank` axes.
shape counted(std::size_t rank) {
  std::vector<std::int64_t> extents;
  for (std::size_t i = 0; i < rank; ++i) extents.push_back(static_cast<std::int64_t>(i + 1));
  return shape(extents);
}

std::string text(const shape& s) { return to_string(s); }

constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();

}  // namespace

TEST_CASE("shape: extents, outermost first") {
  const shape s{2, 3, 5};
  CHECK(s.size() == 3);
  CHECK(!s.empty());
  CHECK(s[0] == 2);
  CHECK(s[2] == 5);
  CHECK(std::vector<std::int64_t>(s.begin(), s.end()) == std::vector<std::int64_t>{2, 3, 5});
  const std::span<const std::int64_t> span = s;
  CHECK(span.size() == 3);
}

TEST_CASE("shape: of integers without a sign, few and many") {
  const std::size_t rows = 2;
  const std::size_t columns = 3;
  CHECK(shape{rows, columns} == shape{2, 3});
  CHECK(shape({rows, columns, rows, rows, columns}) == shape{2, 3, 2, 2, 3});
  const auto taken = [](const shape& extents) { return text(extents); };
  CHECK(taken({rows, columns}) == "[2,3]");
}

TEST_CASE("shape: none at all is 0-d") {
  CHECK(shape().empty());
  CHECK(shape{}.size() == 0);
  CHECK(text(shape()) == "[]");
}

TEST_CASE("shape: to_string") {
  CHECK(text({7}) == "[7]");
  CHECK(text({2, 3}) == "[2,3]");
  CHECK(text({0, -1, largest}) == "[0,-1,9223372036854775807]");
  const std::string most = text(counted(64));
  CHECK(text(counted(65)) == most.substr(0, most.size() - 1) + ",...]");
}

TEST_CASE("shape: copies and moves of few and many extents") {
  for (std::size_t rank = 0; rank < 9; ++rank)
    for (std::size_t other = 0; other < 9; ++other) {
      const shape original = counted(rank);
      shape copy = original;
      CHECK(copy == original);
      shape moved = std::move(copy);
      CHECK(moved == original);
      shape assigned = counted(other);
      assigned = moved;
      CHECK(assigned == original);
      CHECK(moved == original);
      shape replaced = counted(other);
      replaced = std::move(moved);
      CHECK(replaced == original);
    }
}

TEST_CASE("shape: assigned to itself stays") {
  shape few = counted(3);
  shape many = counted(7);
  const shape& same_few = few;
  const shape& same_many = many;
  few = same_few;
  many = same_many;
  CHECK(few == counted(3));
  CHECK(many == counted(7));
}

TEST_CASE("shape: one that was moved from is 0-d") {
  shape s = counted(7);
  const shape taken = std::move(s);
  CHECK(s.empty());  // NOLINT(bugprone-use-after-move)
  CHECK(taken.size() == 7);
}

TEST_CASE("shape: equal in rank and every extent") {
  CHECK(shape{2, 3} == shape{2, 3});
  CHECK(!(shape{2, 3} == shape{3, 2}));
  CHECK(!(shape{2, 3} == shape{2, 3, 1}));
  CHECK(shape{} == shape{});
  CHECK(!(shape{} == shape{1}));
  CHECK(!(counted(7) == counted(6)));
}

TEST_CASE("element_count: the product, 1 for 0-d") {
  CHECK(element_count(shape{}) == 1);
  CHECK(element_count(shape{7}) == 7);
  CHECK(element_count(shape{2, 3, 5}) == 30);
  CHECK(element_count(shape{4, 0, 5}) == 0);
  CHECK(element_count(shape{largest}) == 9223372036854775807U);
}

TEST_CASE("element_count: no shape where an extent is negative, anywhere") {
  CHECK(!element_count(shape{-1}));
  CHECK(!element_count(shape{2, -3}));
  CHECK(!element_count(shape{0, -1}));
  CHECK(!element_count(shape{-1, 0}));
  CHECK(!element_count(shape{std::numeric_limits<std::int64_t>::min()}));
}

TEST_CASE("element_count: no shape where the product passes 2^63 - 1, zeros left out") {
  CHECK(!element_count(shape{largest, 2}));
  CHECK(!element_count(shape{std::int64_t{1} << 32, std::int64_t{1} << 31}));
  CHECK(element_count(shape{std::int64_t{1} << 31, std::int64_t{1} << 31}) == std::uint64_t{1} << 62);
  CHECK(!element_count(shape{std::int64_t{1} << 32, std::int64_t{1} << 32}));
  CHECK(!element_count(shape{std::int64_t{1} << 32, 0, std::int64_t{1} << 32}));
  CHECK(element_count(shape{largest, 0}) == 0);
}
