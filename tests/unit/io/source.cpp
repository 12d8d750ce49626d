#include <ckpt/io/source.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <string>

#include "scratch.hpp"

using namespace ckpt;
using scratch::error_of;
using scratch::message_of;

TEST_CASE("memory_source: reads what it was given") {
  const memory_source source(scratch::bytes("hello"));
  CHECK(source.size() == 5);
  CHECK(source.label() == "<memory>");
  CHECK(memory_source(std::span<const std::byte>(), "stdin").label() == "stdin");
  CHECK(scratch::text({source.data(), 5}) == "hello");
  std::array<std::byte, 3> three{};
  source.read(2, three);
  CHECK(scratch::text(three) == "llo");
}

TEST_CASE("memory_source: no bytes at all") {
  const memory_source source{std::span<const std::byte>()};
  CHECK(source.size() == 0);
  CHECK(source.data() != nullptr);
  source.read(0, {});
  std::array<std::byte, 1> one{};
  CHECK(message_of<format_error>([&] { source.read(0, one); }) ==
        "<memory>: ends too early: 1 bytes needed, 0 left, at byte 0");
}

TEST_CASE("memory_source: a read past the end says how much is missing where, and touches nothing") {
  const memory_source source(scratch::bytes("hello"));
  std::array<std::byte, 3> three{};
  const auto error = error_of<format_error>([&] { source.read(3, three); });
  CHECK(std::string(error.what()) == "<memory>: ends too early: 3 bytes needed, 2 left, at byte 3");
  CHECK(error.code() == errc::truncated);
  CHECK(error.offset() == 3);
  CHECK(error.expected() == "3 bytes");
  CHECK(error.found() == "2 bytes");
  CHECK(three == std::array<std::byte, 3>{});
  constexpr std::uint64_t last = ~std::uint64_t{0};
  CHECK(message_of<format_error>([&] { source.read(last, three); }) ==
        "<memory>: ends too early: 3 bytes needed, 0 left, at byte 18446744073709551615");
  CHECK(message_of<format_error>([&] { source.read(6, {}); }) ==
        "<memory>: ends too early: 0 bytes needed, 0 left, at byte 6");
  source.read(5, {});
}
