#include <ckpt/io/list_directory.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "scratch.hpp"

using namespace ckpt;
using scratch::message_of;

TEST_CASE("list_directory: all names, hidden ones too, and not the directory itself") {
  const scratch::directory here;
  CHECK(list_directory(here.path()).empty());
  for (const std::string name : {"b", ".hidden", "a b", "d\xc3\xad"}) scratch::put(here / name, "");
  std::filesystem::create_directory(here / "folder");
  std::vector<std::string> names = list_directory(here.path());
  std::sort(names.begin(), names.end());
  CHECK(names == here.names());
  CHECK(names.size() == 5);
}

TEST_CASE("list_directory: what is none") {
  const scratch::directory here;
  scratch::put(here / "file", "");
  const auto listed = [](const std::string& path) {
    return message_of<error>([&] { static_cast<void>(list_directory(path)); });
  };
  CHECK(listed(here / "none") == here / "none: cannot list the directory: No such file or directory");
  CHECK(listed(here / "file") == here / "file: cannot list the directory: Not a directory");
  CHECK(listed(std::string("a\0b", 3)) == "a: the path goes on after a NUL byte");
}
