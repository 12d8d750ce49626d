#include <ckpt/checkpoint/stage.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <numeric>
#include <vector>

using namespace ckpt;

namespace {

std::vector<std::byte> all_of(const plan& what) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(what.size()));
  plan_cursor cursor;
  cursor.seek(what, 0);
  cursor.read(bytes);
  return bytes;
}

}  // namespace

TEST_CASE("stage: the image is the file, whatever the pieces and the threads, and the plan one of the image") {
  std::vector<std::byte> large(21 << 20);
  std::uint32_t state = 1;
  for (std::byte& each : large) each = static_cast<std::byte>((state = state * 1664525 + 1013904223) >> 24U);
  for (const unsigned threads : {0U, 1U, 2U, 7U}) {
    plan what;
    std::size_t at = 0;
    for (const std::size_t size : {std::size_t{3}, std::size_t{0}, std::size_t{5 << 20}, std::size_t{1},
                                   std::size_t{100}, std::size_t{15 << 20}, std::size_t{17}}) {
      what.add(std::span<const std::byte>(large).subspan(at, size));
      at += size;
    }
    const std::vector<std::byte> expected = all_of(what);
    std::vector<std::byte> image(expected.size());
    detail::stage(what, image, threads);
    CHECK((image == expected));
    REQUIRE(what.segments().size() == 1);
    CHECK(what.segments()[0].bytes().data() == image.data());
    CHECK(what.size() == image.size());
    CHECK((all_of(what) == expected));
  }
}

TEST_CASE("stage: nothing") {
  plan what;
  detail::stage(what, {}, 0);
  CHECK(what.size() == 0);
  CHECK(what.segments().empty());
}
