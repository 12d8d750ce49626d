#include <ckpt/checkpoint/part_sums.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <ckpt/checksum/crc32.hpp>

#include "../checksum/own_checksum.hpp"
#include "../support.hpp"

using namespace ckpt;

namespace {

/// What the parts of a file are, one after the other.
std::string counted(std::string_view file, std::span<const checksum_part> parts) {
  std::string all;
  for (const checksum_part& part : parts) {
    all += part.before;
    all.append(static_cast<std::size_t>(part.zeros), '\0');
    all += file.substr(static_cast<std::size_t>(part.offset), static_cast<std::size_t>(part.size));
  }
  return all;
}

template <class Checksum>
std::uint32_t whole(std::string_view text) {
  Checksum sum;
  sum.update(support::bytes(text));
  return sum.value();
}

template <class Checksum>
void check(std::string_view file, std::span<const checksum_part> parts, std::size_t step) {
  part_sums<Checksum> sums(parts);
  CHECK(sums.is_disjoint());
  for (int twice = 0; twice < 2; ++twice) {
    sums.restart();
    for (std::size_t at = 0; at < file.size(); at += step) sums.update(support::bytes(file.substr(at, step)));
    CHECK(sums.value() == whole<Checksum>(counted(file, parts)));
  }
}

}  // namespace

TEST_CASE("part_sums: one part, of all, of some and of nothing") {
  const std::string file = "abcdefghij";
  for (const std::size_t step : {1U, 3U, 10U}) {
    const std::vector<checksum_part> all{{.offset = 0, .size = 10}};
    check<crc32>(file, all, step);
    const std::vector<checksum_part> some{{.offset = 2, .size = 5, .before = "name"}};
    check<crc32>(file, some, step);
    const std::vector<checksum_part> end{{.offset = 10, .size = 0, .before = "name"}};
    check<crc32>(file, end, step);
    check<crc32>(file, {}, step);
    check<support::adler32>(file, {}, step);
  }
  const std::vector<checksum_part> nothing{{.offset = 0, .size = 0, .before = "x", .zeros = 2}};
  check<crc32>("", nothing, 1);
}

TEST_CASE("part_sums: parts in any order, with names, zeros and gaps between them") {
  support::numbers random(7);
  std::string file(3000, '\0');
  for (char& c : file) c = static_cast<char>(random.below(256));
  const std::vector<std::string> names{"", "a", "conv1.weight", "z"};
  for (int round = 0; round < 300; ++round) {
    std::vector<checksum_part> parts;
    std::uint64_t at = 0;
    while (at < file.size()) {
      if (random.below(3) == 0) at += random.below(20);
      const std::uint64_t left = at < file.size() ? file.size() - at : 0;
      const std::uint64_t size = std::min(left, random.below(4) == 0 ? 0 : random.below(400));
      if (left == 0) break;
      parts.push_back(
          {.offset = at, .size = size, .before = names[random.below(4)], .zeros = random.below(4) * random.below(300)});
      at += size;
    }
    if (round % 3 != 0)  // else in the order of the file
      for (std::size_t i = parts.size(); i > 1; --i) std::swap(parts[i - 1], parts[random.below(i)]);
    check<crc32>(file, parts, 1 + random.below(500));
    check<support::adler32>(file, parts, 1 + random.below(500));
  }
}

TEST_CASE("part_sums: 2^63 - 1 zeros are no work") {
  const std::vector<checksum_part> parts{{.offset = 0, .size = 0, .zeros = ~std::uint64_t{0} >> 1}};
  part_sums<crc32> sums(parts);
  // CRC-32 of n zeros repeats after 2^32 - 1 of them; 2^63 - 1 = 2^31 - 1 more than a multiple of that.
  const std::vector<checksum_part> same{{.offset = 0, .size = 0, .zeros = (std::uint64_t{1} << 31) - 1}};
  CHECK(sums.value() == part_sums<crc32>(same).value());
}

TEST_CASE("part_sums: parts that overlap are known") {
  const std::vector<checksum_part> parts{{.offset = 4, .size = 3}, {.offset = 0, .size = 5}};
  CHECK(!part_sums<crc32>(parts).is_disjoint());
}
