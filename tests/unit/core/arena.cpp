#include <ckpt/core/arena.hpp>

#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <vector>

#include "../support.hpp"

using namespace ckpt;

namespace {

struct piece {
  std::byte* at;
  std::size_t size;
  std::byte mark;
};

/// Takes pieces of all sizes and fills each with its own mark.
std::vector<piece> fill(arena& memory) {
  std::vector<piece> pieces;
  support::numbers random(7);
  for (int i = 0; i < 3000; ++i) {
    const std::size_t size = i % 500 == 0 ? 300'000 : random.below(i % 50 == 0 ? 20'000 : 100);
    const auto mark = static_cast<std::byte>(i);
    pieces.push_back({memory.allocate(size), size, mark});
    if (size > 0) std::memset(pieces.back().at, i & 0xff, size);
  }
  return pieces;
}

int damaged(const std::vector<piece>& pieces) {
  int count = 0;
  for (const piece& p : pieces)
    for (std::size_t i = 0; i < p.size; ++i)
      if (p.at[i] != p.mark) {
        ++count;
        break;
      }
  return count;
}

}  // namespace

TEST_CASE("arena: pieces of all sizes lie apart") {
  arena memory;
  CHECK(damaged(fill(memory)) == 0);
}

TEST_CASE("arena: what it gave stays where it is when the arena is moved") {
  arena first;
  const std::vector<piece> pieces = fill(first);
  arena second(std::move(first));
  CHECK(damaged(pieces) == 0);
  arena third;
  const std::string_view gone = third.store(std::string_view("gone"));
  third = std::move(second);
  static_cast<void>(gone);
  CHECK(damaged(pieces) == 0);
  CHECK(damaged(fill(third)) == 0);
  CHECK(damaged(pieces) == 0);
}

TEST_CASE("arena: one that was moved from can be used again") {
  arena first;
  const std::string_view kept = first.store(std::string_view("kept"));
  arena second(std::move(first));
  const std::string_view other = first.store(std::string_view("other"));
  second = std::move(first);
  CHECK(other == "other");
  CHECK(damaged(fill(first)) == 0);
  static_cast<void>(kept);
}

TEST_CASE("arena: every alignment up to 16, whatever came before") {
  arena memory;
  support::numbers random(11);
  int misaligned = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::size_t alignment = std::size_t{1} << random.below(5);
    const std::size_t size = random.below(i % 1000 == 0 ? 300'000 : 40);
    std::byte* const at = memory.allocate(size, alignment);
    if (at != nullptr && reinterpret_cast<std::uintptr_t>(at) % alignment != 0) ++misaligned;
    if (size > 0) at[0] = at[size - 1] = std::byte{1};
  }
  CHECK(misaligned == 0);
}

TEST_CASE("arena: store copies") {
  arena memory;
  std::string text = "text";
  std::vector<std::int64_t> extents{2, 3, 5};
  const std::string_view kept_text = memory.store(std::string_view(text));
  const sequence<std::int64_t> kept = memory.store(sequence<std::int64_t>(extents));
  text = "none";
  extents.assign(3, 0);
  CHECK(kept_text == "text");
  REQUIRE(kept.size() == 3);
  CHECK(kept[0] == 2);
  CHECK(kept[2] == 5);
  CHECK(reinterpret_cast<std::uintptr_t>(kept.data()) % alignof(std::int64_t) == 0);
}

TEST_CASE("arena: nothing can be stored") {
  arena memory;
  CHECK(memory.store(std::string_view()).empty());
  CHECK(memory.store(sequence<std::int64_t>()).empty());
  CHECK(memory.store(std::string_view("after")) == "after");
}

TEST_CASE("arena: small pieces do not take a block each") {
  arena memory;
  const std::byte* const first = memory.allocate(16);
  const std::byte* const large = memory.allocate(std::size_t{1} << 20);  // a block of its own
  CHECK(memory.allocate(16) == first + 16);
  CHECK(large != first);
}
