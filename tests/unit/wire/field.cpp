#include <ckpt/wire/field.hpp>

#include <doctest/doctest.h>

using namespace ckpt::wire;

namespace {

static_assert(key(1, wire_type::length_delimited) == 0x0a && key(1, wire_type::varint) == 0x08);
static_assert(delimited_size(1, 2) == 4 && delimited_size(16, 128) == 2 + 2 + 128);

}  // namespace

TEST_CASE("key: the number above the wire type") {
  CHECK(key(1, wire_type::varint) == 0x08);
  CHECK(key(1, wire_type::fixed64) == 0x09);
  CHECK(key(1, wire_type::length_delimited) == 0x0a);
  CHECK(key(1, wire_type::start_group) == 0x0b);
  CHECK(key(1, wire_type::end_group) == 0x0c);
  CHECK(key(1, wire_type::fixed32) == 0x0d);
  CHECK(key(1000, wire_type::length_delimited) == 8002);
}

TEST_CASE("key: of the highest field number takes five bytes") {
  CHECK(max_field_number == 536870911);
  CHECK(varint_size(key(max_field_number, wire_type::fixed32)) == 5);
  CHECK(key(max_field_number, wire_type::fixed32) == 0xfffffffd);
}

TEST_CASE("delimited_size: key, length and payload") {
  CHECK(delimited_size(1, 0) == 2);
  CHECK(delimited_size(15, 127) == 1 + 1 + 127);
  CHECK(delimited_size(15, 128) == 1 + 2 + 128);
  CHECK(delimited_size(16, 16384) == 2 + 3 + 16384);
  CHECK(delimited_size(3, 536870912) == 1 + 5 + 536870912);
}
