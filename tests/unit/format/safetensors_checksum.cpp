#include <ckpt/format/safetensors_checksum.hpp>

#include <doctest/doctest.h>

using namespace ckpt;

namespace {

constexpr bool renders(std::uint32_t value, std::string_view literal) noexcept {
  std::byte bytes[safetensors_schema::checksum_slot_size] = {};
  safetensors_schema::render_checksum(value, bytes);
  for (std::size_t i = 0; i < sizeof bytes; ++i)
    if (bytes[i] != static_cast<std::byte>(literal[i])) return false;
  return literal.size() == sizeof bytes;
}

static_assert(renders(0, "\"0\"         "));
static_assert(renders(1234567, "\"1234567\"   "));
static_assert(renders(4294967295, "\"4294967295\""));

}  // namespace

TEST_CASE("safetensors checksum: the slot takes the largest number and its quotes") {
  CHECK(safetensors_schema::checksum_slot_size == 2 + std::string_view("4294967295").size());
}
