#include <ckpt/model/destinations.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "../support.hpp"

using namespace ckpt;

namespace {

const std::function<bool(std::string_view)> all;

file_index index_of(dtype type, std::initializer_list<std::int64_t> extents, std::uint64_t size) {
  file_index index("ckpt", "f", size);
  const shape of(extents);
  const extent where{0, size};
  index.add("w", entry_kind::tensor, type, of.extents(), {&where, 1});
  CHECK(!index.index_names());
  return index;
}

template <class T>
std::string refusal(const file_index& index, std::size_t elements) {
  std::map<std::string, std::vector<T>> network{{"w", std::vector<T>(elements)}};
  destinations<file_index> places(index, all);
  return support::message_of<mismatch_error>([&] { walk(places, network); });
}

}  // namespace

TEST_CASE("destinations: counts that would be others modulo 2^64") {
  constexpr std::int64_t many = (std::int64_t{1} << 61) + 4;
  CHECK(refusal<std::uint8_t>(index_of(dtype::uint8, {many}, many), 4) ==
        "f: tensor \"w\": that of the file has the shape [2305843009213693956], that of the network has the shape [4]");
  constexpr std::int64_t halves = (std::int64_t{1} << 58) + 4;
  CHECK(refusal<double>(index_of(dtype::float16, {halves}, 2 * halves), 4) ==
        "f: tensor \"w\": that of the file has the shape [288230376151711748], that of the network has the shape [4]");
}

TEST_CASE("destinations: what shares memory is widened in memory of its own") {
  file_index index("ckpt", "f", 24);
  const extent where{0, 8};
  const std::int64_t four = 4;
  const std::int64_t two = 2;
  for (const char* name : {"alone", "tied", "tied too"})
    index.add(name, entry_kind::tensor, dtype::float16, {&four, 1}, {&where, 1});
  const extent half{0, 4};
  index.add("part", entry_kind::tensor, dtype::float16, {&two, 1}, {&half, 1});
  REQUIRE(!index.index_names());
  std::array<float, 4> alone{};
  std::array<float, 4> tied{};
  std::map<std::string, std::span<float>> network{
      {"alone", alone}, {"tied", tied}, {"tied too", tied}, {"part", std::span(tied).first(2)}};
  destinations<file_index> places(index, all);
  walk(places, network);
  places.keep_apart();
  int in_place = 0;
  places.for_each_tensor([&](std::size_t position, std::span<std::byte> bytes) {
    const auto* const begin = std::as_bytes(std::span(position == 0 ? alone : tied)).data();
    in_place += bytes.data() >= begin && bytes.data() < begin + 16 ? 1 : 0;
    const std::array<float16, 4> content{float16(1), float16(2), float16(3), float16(4)};
    std::memcpy(bytes.data(), content.data(), bytes.size());
  });
  CHECK(in_place == 1);
  places.finish();
  CHECK(alone == std::array<float, 4>{1, 2, 3, 4});
  CHECK(tied == std::array<float, 4>{1, 2, 3, 4});
}
