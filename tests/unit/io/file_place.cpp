#include <ckpt/io/file_place.hpp>

#include <doctest/doctest.h>

#include <filesystem>

#include <unistd.h>

#include "scratch.hpp"

using namespace ckpt;

TEST_CASE("file_place: the same by every path, whether the file is there or not") {
  const scratch::directory here;
  std::filesystem::create_directory(here / "sub");
  REQUIRE(::symlink("sub", (here / "way").c_str()) == 0);
  REQUIRE(::symlink("sub/a", (here / "link").c_str()) == 0);
  const std::optional<file_place> place = place_of(here / "sub/a");
  REQUIRE(place);
  CHECK(place_of(here / "way/a") == place);
  CHECK(place_of(here / "sub/../way/./a") == place);
  CHECK(place_of(here / "link") == place);
  scratch::put(here / "sub/a", "");
  CHECK(place_of(here / "link") == place);
  CHECK(place_of(here / "sub/b") != place);
  CHECK(place_of(here / "a") != place);
}

TEST_CASE("file_place: none where the path leads nowhere") {
  const scratch::directory here;
  CHECK(!place_of(here / "none/a"));
  CHECK(!place_of(""));
  CHECK(!place_of(here / "a/"));
}
