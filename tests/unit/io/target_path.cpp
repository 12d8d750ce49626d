#include <ckpt/io/target_path.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "scratch.hpp"

using namespace ckpt;
using scratch::message_of;

TEST_CASE("split_path: directory and name") {
  const auto parts = [](const std::string& path) {
    const target_path split = split_path(path);
    return split.directory + "|" + split.name;
  };
  CHECK(parts("a") == ".|a");
  CHECK(parts("/a") == "/|a");
  CHECK(parts("d/a") == "d|a");
  CHECK(parts("/usr/lib/a") == "/usr/lib|a");
  CHECK(parts("d//a") == "d/|a");
  CHECK(parts("d/") == "d|");
  CHECK(parts("/") == "/|");
}

TEST_CASE("target_path: put together again") {
  CHECK(target_path{".", "a"}.whole() == "a");
  CHECK(target_path{"/", "a"}.whole() == "/a");
  CHECK(target_path{"d", "a"}.whole() == "d/a");
  CHECK(target_path{"d/", "a"}.whole() == "d/a");
}

TEST_CASE("resolve_target: what is no link, or not there, is itself") {
  const scratch::directory here;
  scratch::put(here / "f", "");
  CHECK(resolve_target(here / "f").whole() == here / "f");
  CHECK(resolve_target(here / "none").whole() == here / "none");
  CHECK(resolve_target(here / "no/none").whole() == here / "no/none");
}

TEST_CASE("resolve_target: links are followed from where they lie") {
  const scratch::directory here;
  std::filesystem::create_directory(here / "d");
  std::filesystem::create_symlink("g", here / "d/plain");
  std::filesystem::create_symlink("../g", here / "d/up");
  std::filesystem::create_symlink("/g", here / "d/absolute");
  std::filesystem::create_symlink("d/plain", here / "twice");
  CHECK(resolve_target(here / "d/plain").whole() == here / "d/g");
  CHECK(resolve_target(here / "d/up").whole() == here / "d/../g");
  CHECK(resolve_target(here / "d/absolute").whole() == "/g");
  CHECK(resolve_target(here / "twice").whole() == here / "d/g");
}

TEST_CASE("resolve_target: forty links are followed, a longer chain is taken for a circle") {
  const scratch::directory here;
  for (int i = 0; i < 41; ++i) std::filesystem::create_symlink(std::to_string(i + 1), here / std::to_string(i));
  CHECK(resolve_target(here / "1").whole() == here / "41");
  CHECK(message_of<io_error>([&] { static_cast<void>(resolve_target(here / "0")); }) ==
        here / "0: cannot write there: Too many levels of symbolic links");
}

TEST_CASE("resolve_target: a link to a directory's name with a slash names no file") {
  const scratch::directory here;
  std::filesystem::create_symlink("none/", here / "link");
  CHECK(message_of<usage_error>([&] { static_cast<void>(resolve_target(here / "link")); }) ==
        here / "link: names a directory: add the name of a file");
}
