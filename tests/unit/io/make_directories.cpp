#include <ckpt/io/make_directories.hpp>

#include <doctest/doctest.h>

#include <string>

#include "../../threads/in_all_threads.hpp"
#include "scratch.hpp"

using namespace ckpt;
using scratch::message_of;

TEST_CASE("make_directories: makes what is missing") {
  const scratch::directory here;
  for (const char* const path : {"a", "a", "a/b/c", "a//d/", "a/b/../e/./f", "."}) {
    CAPTURE(path);
    make_directories(here / path);
    CHECK(is_directory(here / path));
  }
  CHECK(here.names() == std::vector<std::string>{"a"});
  std::filesystem::create_directory_symlink("a/b", here / "link");
  make_directories(here / "link/g");
  CHECK(is_directory(here / "a/b/g"));
  make_directories("/");
}

TEST_CASE("make_directories: several that make the same at once") {
  const scratch::directory here;
  for (int round = 0; round < 50; ++round) {
    const std::string path = here / std::to_string(round) + "/a" + "/b";
    CHECK(failures_in_all([&](std::size_t) { make_directories(path); }) == 0);
    CHECK(is_directory(path));
  }
}

TEST_CASE("make_directories: what cannot be made") {
  const scratch::directory here;
  scratch::put(here / "file", "");
  const auto made = [](const std::string& path) { return message_of<error>([&] { make_directories(path); }); };
  CHECK(made(here / "file") == here / "file: cannot make the directory \"" + here / "file\": File exists");
  CHECK(made(here / "file/b/c") == here / "file/b/c: cannot make the directory \"" + here / "file\": File exists");
  CHECK(made("") == "the path of the directory is empty");
  CHECK(made(std::string("a\0b", 3)) == "a: the path goes on after a NUL byte");
}
