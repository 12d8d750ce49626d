#include <ckpt/wire/writer.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>

#include "../support.hpp"

using namespace ckpt::wire;

namespace {

static_assert([] {
  std::array<std::byte, 7> room{};
  writer to(room.data());
  to.text_field(2, "Int8");
  to.zeros(1);
  constexpr std::array<int, 7> expected{0x12, 4, 'I', 'n', 't', '8', 0};
  for (std::size_t i = 0; i < room.size(); ++i)
    if (std::to_integer<int>(room[i]) != expected[i]) return false;
  return to.position() == room.data() + room.size();
}());

template <class Fill>
std::string written(Fill fill) {
  std::array<std::byte, 300> room{};
  room.fill(std::byte{0xee});
  writer to(room.data());
  fill(to);
  return support::hex(std::span<const std::byte>(room.data(), to.position()));
}

}  // namespace

TEST_CASE("writer: the message of the documentation, field by field") {
  // [{"name":"a","data":Tensor([1,0],int8)}]
  CHECK(written([](writer& to) {
          to.delimited_header(1, 17);
          to.text_field(1, "a");
          to.delimited_header(2, 12);
          to.varint_field(1, 2);
          to.text_field(2, "Int8");
          to.delimited_header(3, 2);
        }) == "0a110a0161120c08021204496e74381a02");
}

TEST_CASE("writer: fields of zero, of ten bytes, of a high number") {
  CHECK(written([](writer& to) { to.varint_field(1, 0); }) == "0800");
  CHECK(written([](writer& to) { to.varint_field(1, ~std::uint64_t{0}); }) == "08ffffffffffffffffff01");
  CHECK(written([](writer& to) { to.delimited_header(1000, 0); }) == "c23e00");
  CHECK(written([](writer& to) { to.varint_field(max_field_number, 1); }) == "f8ffffff0f01");
}

TEST_CASE("writer: text of every byte, and none") {
  CHECK(written([](writer& to) { to.text_field(1, ""); }) == "0a00");
  CHECK(written([](writer& to) { to.text_field(1, std::string_view("\0\xff", 2)); }) == "0a0200ff");
  const std::string longer(128, 'x');
  CHECK(written([&](writer& to) { to.text_field(1, longer); }).substr(0, 8) == "0a800178");
}

TEST_CASE("writer: zeros") {
  CHECK(written([](writer& to) { to.zeros(0); }).empty());
  CHECK(written([](writer& to) { to.zeros(3); }) == "000000");
}
