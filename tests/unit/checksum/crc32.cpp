#include <ckpt/checksum/crc32.hpp>

#include <doctest/doctest.h>

#include "implementations.hpp"

TEST_CASE("crc32: known values, random sizes and places, cut anywhere") { support::check_crc32<ckpt::crc32>(); }
