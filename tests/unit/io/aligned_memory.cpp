#include <ckpt/io/aligned_memory.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

using namespace ckpt;

namespace {

bool is_aligned(const aligned_memory& memory, std::uintptr_t alignment) {
  return reinterpret_cast<std::uintptr_t>(memory.bytes().data()) % alignment == 0;
}

}  // namespace

TEST_CASE("aligned_memory: of every size, aligned to 64 bytes and writable to its end") {
  std::vector<aligned_memory> kept;
  for (std::size_t size = 1; size < 5000; size += 7) {
    kept.emplace_back(size);
    CHECK(kept.back().bytes().size() == size);
    CHECK(is_aligned(kept.back(), 64));
    std::memset(kept.back().bytes().data(), 0xee, size);
  }
}

TEST_CASE("aligned_memory: a large piece begins with a huge page") {
  const aligned_memory memory((std::size_t{4} << 20) + 1);
  CHECK(is_aligned(memory, std::size_t{2} << 20));
  memory.bytes().front() = std::byte{1};
  memory.bytes().back() = std::byte{2};
}

TEST_CASE("aligned_memory: nothing") {
  CHECK(aligned_memory().bytes().empty());
  CHECK(aligned_memory(0).bytes().empty());
}

TEST_CASE("aligned_memory: moved, the bytes stay where they are; both sizes mix") {
  aligned_memory small(100);
  aligned_memory large(std::size_t{3} << 20);
  const std::byte* const place = large.bytes().data();
  small = std::move(large);
  CHECK(small.bytes().data() == place);
  CHECK(large.bytes().empty());  // NOLINT(bugprone-use-after-move): empty is promised
  aligned_memory again(std::move(small));
  CHECK(again.bytes().data() == place);
  CHECK(again.bytes().size() == std::size_t{3} << 20);
}
