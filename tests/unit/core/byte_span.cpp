#include <ckpt/core/byte_span.hpp>

#include <doctest/doctest.h>

#include <array>
#include <concepts>
#include <cstddef>
#include <ranges>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <ckpt/core/sequence.hpp>

using ckpt::byte_span;

namespace {

void fill(byte_span to, int value) {
  for (std::byte& each : to) each = static_cast<std::byte>(value);
}

int sum(std::span<std::byte> bytes) {
  int total = 0;
  for (const std::byte each : bytes) total += std::to_integer<int>(each);
  return total;
}

// What may not be written to, or is no bytes, or goes away with the expression, passes for none.
static_assert(!std::is_convertible_v<std::span<const std::byte>, byte_span>);
static_assert(!std::is_convertible_v<const std::vector<std::byte>&, byte_span>);
static_assert(!std::is_convertible_v<const std::array<std::byte, 2>&, byte_span>);
static_assert(!std::is_convertible_v<ckpt::sequence<std::byte>, byte_span>);
static_assert(!std::is_convertible_v<std::string&, byte_span>);
static_assert(!std::is_convertible_v<std::vector<int>&, byte_span>);
static_assert(!std::is_convertible_v<std::vector<std::byte>, byte_span>);
static_assert(!std::is_convertible_v<std::array<std::byte, 2>, byte_span>);

static_assert(std::ranges::contiguous_range<byte_span> && std::ranges::borrowed_range<byte_span>);
static_assert(std::is_convertible_v<byte_span, std::span<std::byte>>);
static_assert(std::is_convertible_v<byte_span, std::span<const std::byte>>);
static_assert(std::is_convertible_v<byte_span, ckpt::sequence<std::byte>>);

}  // namespace

TEST_CASE("byte_span: nothing") {
  const byte_span none;
  CHECK(none.empty());
  CHECK(none.size() == 0);
  CHECK(none.data() == nullptr);
  CHECK(none.begin() == none.end());
}

TEST_CASE("byte_span: bytes where they lie, written through it") {
  std::byte bytes[4]{};
  const byte_span all(bytes, 4);
  fill(all, 1);
  fill(all.first(2), 2);
  fill(all.last(1), 7);
  CHECK(sum(all) == 2 + 2 + 1 + 7);
  fill(all.subspan(3), 5);
  all[2] = std::byte{9};
  CHECK(sum(bytes) == 2 + 2 + 9 + 5);
  CHECK(&all.front() == bytes);
  CHECK(&all.back() == bytes + 3);
  CHECK(all.last(3).data() == bytes + 1);
  CHECK(all.last(3).size() == 3);
  CHECK(all.subspan(4).empty());
  CHECK(!all.empty());
}

TEST_CASE("byte_span: of whatever has data and size, and itself passes as a span") {
  std::vector<std::byte> some(3);
  std::array<std::byte, 2> two{};
  fill(some, 1);
  fill(two, 2);
  fill(std::span<std::byte>(some).first(1), 3);
  CHECK(sum(some) == 3 + 1 + 1);
  CHECK(sum(byte_span(two)) == 4);
  CHECK(ckpt::sequence<std::byte>(byte_span(some)).data() == some.data());
}
