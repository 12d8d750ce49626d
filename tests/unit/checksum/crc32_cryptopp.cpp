#include <ckpt/checksum/crc32_cryptopp.hpp>

#include <doctest/doctest.h>

#include "implementations.hpp"

TEST_CASE("crc32_cryptopp: known values, random sizes and places, cut anywhere") {
  support::check_crc32<ckpt::crc32_cryptopp>();
}
