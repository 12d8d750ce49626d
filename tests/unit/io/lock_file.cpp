#include <ckpt/io/lock_file.hpp>

#include <doctest/doctest.h>

#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include <fcntl.h>

#include "forked.hpp"
#include "scratch.hpp"

using namespace ckpt;
using scratch::error_of;
using scratch::message_of;

TEST_CASE("lock_file: one holds it at a time, also within a process") {
  const scratch::directory here;
  const std::string path = here / "lock";
  const std::string own = std::to_string(::getpid());
  scratch::put(path, "123456789 and what was there before");
  {
    lock_file first(path);
    CHECK(scratch::get(path) == own + "\n");
    const auto error = error_of<usage_error>([&] { lock_file second(path); });
    CHECK(std::string(error.what()) == path + ": is held by process " + own);
    CHECK(error.code() == errc::in_use);
    CHECK(error.found() == own);
    const lock_file moved = std::move(first);
    CHECK(error_of<usage_error>([&] { lock_file second(path); }).code() == errc::in_use);
  }
  const lock_file again(path);
  CHECK(scratch::get(path) == own + "\n");
}

TEST_CASE("lock_file: the end of a process frees it, however it comes") {
  const scratch::directory here;
  const std::string path = here / "lock";
  std::optional<lock_file> held;
  scratch::forked other([&](auto) { held.emplace(path); });
  CHECK(message_of<usage_error>([&] { lock_file second(path); }) ==
        path + ": is held by process " + std::to_string(other.id()));
  other.kill();
  const lock_file mine(path);
}

TEST_CASE("lock_file: a program that its holder has started does not hold it") {
  const scratch::directory here;
  std::optional<lock_file> held(here / "lock");
  std::FILE* const other = ::popen("cat", "w");  // ends when its input does
  REQUIRE(other != nullptr);
  held.reset();
  const lock_file again(here / "lock");
  CHECK(::pclose(other) == 0);
}

TEST_CASE("lock_file: a holder that has not said who it is") {
  const scratch::directory here;
  scratch::put(here / "lock", "");
  const file_descriptor file(::open((here / "lock").c_str(), O_RDONLY | O_CLOEXEC), "f");
  CHECK(!file.try_lock());
  CHECK(message_of<usage_error>([&] { lock_file second(here / "lock"); }) == here / "lock: is held by another process");
}

TEST_CASE("lock_file: a holder that the one has forked who said who it was") {
  const scratch::directory here;
  scratch::forked other([](auto) {});
  const std::string ended = std::to_string(other.id());
  other.kill();
  scratch::put(here / "lock", ended + "\n");
  const file_descriptor file(::open((here / "lock").c_str(), O_RDONLY | O_CLOEXEC), "f");
  CHECK(!file.try_lock());
  CHECK(
      message_of<usage_error>([&] { lock_file second(here / "lock"); }) ==
      here / "lock: was taken by process " + ended +
          ", which is not there: a process that it has forked holds it, or it is one of another machine or container");
}

TEST_CASE("lock_file: where there can be none") {
  const scratch::directory here;
  std::filesystem::create_symlink("elsewhere", here / "link");
  CHECK(message_of<io_error>([&] { lock_file lock(here / "no/lock"); }) ==
        here / "no/lock: cannot open: No such file or directory");
  CHECK(message_of<io_error>([&] { lock_file lock(here / "link"); }) ==
        here / "link: cannot open: Too many levels of symbolic links");
  CHECK(here.names() == std::vector<std::string>{"link"});
}
