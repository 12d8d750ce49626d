#include <ckpt/io/file_source.hpp>

#include <doctest/doctest.h>

#include <array>
#include <filesystem>
#include <string>

#include "scratch.hpp"

using namespace ckpt;
using scratch::message_of;

TEST_CASE("file_source: reads a file and has nothing in memory") {
  const scratch::directory here;
  scratch::put(here / "a", "hello");
  const file_source source(here / "a");
  CHECK(source.size() == 5);
  CHECK(source.label() == here / "a");
  CHECK(source.data() == nullptr);
  std::array<std::byte, 3> three{};
  source.read(1, three);
  CHECK(scratch::text(three) == "ell");
  source.read(5, {});
}

TEST_CASE("file_source: a read past the end") {
  const scratch::directory here;
  scratch::put(here / "a", "hello");
  const file_source source(here / "a");
  std::array<std::byte, 3> three{};
  CHECK(message_of<format_error>([&] { source.read(3, three); }) ==
        here / "a: ends too early: 3 bytes needed, 2 left, at byte 3");
}

TEST_CASE("file_source: a file cut short meanwhile is an error") {
  const scratch::directory here;
  scratch::put(here / "a", "hello");
  const file_source source(here / "a");
  std::filesystem::resize_file(here / "a", 3);
  std::array<std::byte, 3> three{};
  const auto error = scratch::error_of<format_error>([&] { source.read(1, three); });
  CHECK(std::string(error.what()) ==
        here / "a: was cut short by someone else while it was read: it had 5 bytes, at byte 3");
  CHECK(error.code() == errc::changed);
  CHECK(error.expected() == "5 bytes");
  CHECK(error.found() == "3 bytes");
}

TEST_CASE("file_source: an empty file") {
  const scratch::directory here;
  scratch::put(here / "a", "");
  const file_source source(here / "a");
  CHECK(source.size() == 0);
  source.read(0, {});
}

TEST_CASE("file_source: a missing file and a directory") {
  const scratch::directory here;
  CHECK(message_of<io_error>([&] { file_source(here / "none"); }) ==
        here / "none: cannot open: No such file or directory");
  CHECK(message_of<io_error>([&] { file_source(here.path()); }) == here.path() + ": cannot open: Is a directory");
}
