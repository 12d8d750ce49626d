#include <ckpt/core/byte_order.hpp>

#include <doctest/doctest.h>

#include <array>

using namespace ckpt;

namespace {

template <class T>
constexpr bool round_trips(T value) {
  std::array<std::byte, sizeof(T) + 1> room{};
  store_le(room.data() + 1, value);
  return load_le<T>(room.data() + 1) == value;
}

constexpr std::array<std::byte, 9> counted{std::byte{0xff}, std::byte{1}, std::byte{2}, std::byte{3},   std::byte{4},
                                           std::byte{5},    std::byte{6}, std::byte{7}, std::byte{0x88}};

}  // namespace

static_assert(load_le<std::uint8_t>(counted.data()) == 0xff);
static_assert(load_le<std::uint16_t>(counted.data() + 1) == 0x0201);
static_assert(load_le<std::uint32_t>(counted.data() + 1) == 0x04030201);
static_assert(load_le<std::uint64_t>(counted.data() + 1) == 0x8807060504030201);
static_assert(round_trips(std::uint64_t{0x8000000000000001}) && round_trips(std::uint16_t{0xfffe}));

TEST_CASE("load_le: the lowest byte first, from any address") {
  CHECK(load_le<std::uint8_t>(counted.data()) == 0xff);
  CHECK(load_le<std::uint16_t>(counted.data() + 1) == 0x0201);
  CHECK(load_le<std::uint32_t>(counted.data() + 1) == 0x04030201);
  CHECK(load_le<std::uint64_t>(counted.data() + 1) == 0x8807060504030201);
}

TEST_CASE("store_le: the lowest byte first, and no byte beyond") {
  std::array<std::byte, 6> room{};
  store_le(room.data() + 1, std::uint32_t{0x04030201});
  CHECK(room ==
        std::array<std::byte, 6>{std::byte{0}, std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}, std::byte{0}});
}

TEST_CASE("store_le and load_le: back and forth") {
  CHECK(round_trips(std::uint8_t{0xfe}));
  CHECK(round_trips(std::uint16_t{0xfedc}));
  CHECK(round_trips(std::uint32_t{0xfedcba98}));
  CHECK(round_trips(std::uint64_t{0xfedcba9876543210}));
}
