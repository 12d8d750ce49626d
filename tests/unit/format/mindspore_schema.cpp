#include <ckpt/format/mindspore_schema.hpp>

#include <doctest/doctest.h>

using namespace ckpt;

namespace {

constexpr bool renders(std::uint32_t value, std::string_view literal) noexcept {
  std::byte bytes[mindspore_schema::checksum_trailer_size] = {};
  mindspore_schema::render_checksum(value, bytes);
  for (std::size_t i = 0; i < sizeof bytes; ++i)
    if (bytes[i] != static_cast<std::byte>(literal[i])) return false;
  return literal.size() == sizeof bytes;
}

static_assert(renders(0, {"crc_num\0\0\0\0\0\0\0\0\0\0", 17}));
static_assert(renders(0xcbf43926, {"crc_num\0\0\0\0\0\0\xcb\xf4\x39\x26", 17}));

}  // namespace

TEST_CASE("ckpt schema: the padding field is one that no message has, and its key is of two bytes") {
  CHECK(mindspore_schema::padding > 16);
  CHECK(wire::varint_size(wire::key(mindspore_schema::padding, wire::wire_type::length_delimited)) == 2);
}

TEST_CASE("ckpt schema: a checksum is 7 bytes and 10 more") {
  CHECK(mindspore_schema::checksum_marker == "crc_num");
  CHECK(mindspore_schema::checksum_trailer_size == mindspore_schema::checksum_marker.size() + 10);
}

TEST_CASE("ckpt schema: chunks are of 512 MiB, which no element straddles") {
  CHECK(mindspore_schema::chunk_size == 536870912);
  CHECK(mindspore_schema::chunk_size % 16 == 0);
}
