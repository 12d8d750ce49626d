#include <ckpt/wire/varint.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "../support.hpp"

using namespace ckpt::wire;

namespace {

constexpr bool encodes_as(std::uint64_t value, std::initializer_list<int> bytes) noexcept {
  std::array<std::byte, max_varint_size> room{};
  const std::size_t size = static_cast<std::size_t>(write_varint(room.data(), value) - room.data());
  if (size != bytes.size() || size != varint_size(value)) return false;
  std::size_t i = 0;
  for (const int byte : bytes)
    if (std::to_integer<int>(room[i++]) != byte) return false;
  const varint back = read_varint(room);
  return back.value == value && back.size == size;
}

static_assert(encodes_as(0, {0x00}) && encodes_as(127, {0x7f}) && encodes_as(128, {0x80, 0x01}));
static_assert(encodes_as(300, {0xac, 0x02}));
static_assert(encodes_as(~std::uint64_t{0}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}));

std::string written(std::uint64_t value) {
  std::byte room[max_varint_size];
  return support::hex(std::span<const std::byte>(room, write_varint(room, value)));
}

varint read(std::string_view digits) {
  const std::string raw = support::unhex(digits);
  return read_varint(support::bytes(raw));
}

bool reads_as(std::string_view digits, std::uint64_t value, std::size_t size) {
  const varint found = read(digits);
  return found.value == value && found.size == size;
}

bool is_none(std::string_view digits) { return reads_as(digits, 0, 0); }

}  // namespace

TEST_CASE("varint: seven bits to a byte, the lowest first") {
  CHECK(written(0) == "00");
  CHECK(written(1) == "01");
  CHECK(written(127) == "7f");
  CHECK(written(128) == "8001");
  CHECK(written(300) == "ac02");
  CHECK(written(16383) == "ff7f");
  CHECK(written(16384) == "808001");
  CHECK(written(536870912) == "8080808002");
  CHECK(written(std::uint64_t{1} << 63) == "80808080808080808001");
  CHECK(written(~std::uint64_t{0}) == "ffffffffffffffffff01");
}

TEST_CASE("varint: at every power of two, size, writing and reading agree") {
  int wrong = 0;
  for (unsigned power = 0; power < 64; ++power)
    for (const std::uint64_t less : {0U, 1U}) {
      const std::uint64_t value = (std::uint64_t{1} << power) - less;
      std::byte room[max_varint_size];
      const auto size = static_cast<std::size_t>(write_varint(room, value) - room);
      const varint back = read_varint(std::span<const std::byte>(room, size));
      if (size != varint_size(value) || back.value != value || back.size != size) ++wrong;
    }
  CHECK(wrong == 0);
}

TEST_CASE("varint: longer encodings than needed are read, up to ten bytes") {
  CHECK(reads_as("8000", 0, 2));
  CHECK(reads_as("818000", 1, 3));
  CHECK(reads_as("80808080808080808000", 0, 10));
  CHECK(reads_as("81808080808080808000", 1, 10));
}

TEST_CASE("varint: what follows is left alone") {
  CHECK(reads_as("05ffff", 5, 1));
  CHECK(reads_as("ac02ff", 300, 2));
}

TEST_CASE("varint: 64 bits and no more") {
  CHECK(reads_as("ffffffffffffffffff01", ~std::uint64_t{0}, 10));
  CHECK(reads_as("80808080808080808001", std::uint64_t{1} << 63, 10));
  CHECK(is_none("ffffffffffffffffff02"));
  CHECK(is_none("80808080808080808002"));
  CHECK(is_none("ffffffffffffffffff7f"));
}

TEST_CASE("varint: eleven bytes are none") {
  CHECK(is_none("8080808080808080808000"));
  CHECK(is_none("8080808080808080808100"));
}

TEST_CASE("varint: cut short at every byte is none") {
  const std::string whole = support::unhex("ffffffffffffffffff01");
  for (std::size_t size = 0; size < whole.size(); ++size)
    CHECK(read_varint(support::bytes(whole).first(size)).size == 0);
}
