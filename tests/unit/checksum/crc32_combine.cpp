#include <ckpt/checksum/crc32_combine.hpp>

#include <doctest/doctest.h>

using namespace ckpt;

TEST_CASE("crc32_combine: known values") {
  CHECK(crc32_combine(0x9be3e0a3, 0x131da070, 5) == 0xcbf43926);  // "1234" and "56789"
  CHECK(crc32_combine(0xcbf43926, 0, 0) == 0xcbf43926);
  CHECK(crc32_combine(0, 0xcbf43926, 9) == 0xcbf43926);
}

TEST_CASE("crc32_combine: zero bytes, doubled up to the largest size") {
  std::uint32_t zeros = 0xd202ef8d;  // of one
  for (std::uint64_t size = 1; size < 1024; size *= 2) zeros = crc32_combine(zeros, zeros, size);
  CHECK(zeros == 0xefb5af2e);  // of 1024
  // x^(2^32 - 1) = 1: so many bits, and as many bytes, move nothing.
  CHECK(crc32_combine(0x12345678, 0, 0xffffffff) == 0x12345678);
  CHECK(crc32_combine(0x12345678, 0, ~std::uint64_t{0}) == 0x12345678);
}
