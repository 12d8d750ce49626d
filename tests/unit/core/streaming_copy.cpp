#include <ckpt/core/streaming_copy.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

using namespace ckpt;

TEST_CASE("streaming_copy: copies the bytes that it is given, and no others, at every alignment") {
  constexpr std::size_t most = (std::size_t{64} << 10) + 300;
  std::vector<std::byte> source(most + 64);
  std::uint32_t state = 1;
  for (std::byte& each : source) each = static_cast<std::byte>((state = state * 1664525 + 1013904223) >> 24U);
  std::vector<std::byte> target(most + 192);
  int wrong = 0;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{63}, std::size_t{1000}, std::size_t{64} << 10,
        (std::size_t{64} << 10) - 1, (std::size_t{64} << 10) + 65, most})
    for (std::size_t to = 0; to < 64; to += 7)
      for (std::size_t from = 0; from < 64; from += 9) {
        std::fill(target.begin(), target.end(), std::byte{0xee});
        streaming_copy(std::span(target).subspan(64 + to, size), std::span(source).subspan(from, size));
        const auto begin = target.begin() + static_cast<std::ptrdiff_t>(64 + to);
        const auto end = begin + static_cast<std::ptrdiff_t>(size);
        const auto is_untouched = [](std::byte each) { return each == std::byte{0xee}; };
        if (!std::equal(begin, end, source.begin() + static_cast<std::ptrdiff_t>(from)) ||
            !std::all_of(target.begin(), begin, is_untouched) || !std::all_of(end, target.end(), is_untouched))
          ++wrong;
      }
  CHECK(wrong == 0);
}
