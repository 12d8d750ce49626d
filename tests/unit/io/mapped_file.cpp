#include <ckpt/io/mapped_file.hpp>

#include <doctest/doctest.h>

#include <array>
#include <filesystem>
#include <string>

#include <sys/stat.h>

#include "scratch.hpp"

using namespace ckpt;
using scratch::message_of;

TEST_CASE("mapped_file: the content lies in memory, page-aligned") {
  const scratch::directory here;
  scratch::put(here / "a", "hello");
  const mapped_file file(here / "a");
  CHECK(file.size() == 5);
  CHECK(file.label() == here / "a");
  CHECK(scratch::text({file.data(), 5}) == "hello");
  CHECK(reinterpret_cast<std::uintptr_t>(file.data()) % 4096 == 0);
  std::array<std::byte, 3> three{};
  file.read(1, three);
  CHECK(scratch::text(three) == "ell");
  CHECK(message_of<format_error>([&] { file.read(3, three); }) ==
        here / "a: ends too early: 3 bytes needed, 2 left, at byte 3");
}

TEST_CASE("mapped_file: an empty file has no mapping and still data") {
  const scratch::directory here;
  scratch::put(here / "a", "");
  const mapped_file file(here / "a");
  CHECK(file.size() == 0);
  CHECK(file.data() != nullptr);
  file.read(0, {});
}

TEST_CASE("mapped_file: outlives the name of the file, and holds no descriptor") {
  const scratch::directory here;
  scratch::put(here / "a", "hello");
  const mapped_file file(here / "a");
  if (std::filesystem::exists("/proc/self/fd")) {
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code gone;
      CHECK(std::filesystem::read_symlink(entry.path(), gone) != here / "a");
    }
  }
  std::filesystem::remove(here / "a");
  CHECK(scratch::text({file.data(), 5}) == "hello");
}

TEST_CASE("mapped_file: what is no file is refused") {
  const scratch::directory here;
  REQUIRE(::mkfifo((here / "pipe").c_str(), 0600) == 0);
  CHECK(message_of<io_error>([&] { mapped_file(here / "none"); }) ==
        here / "none: cannot open: No such file or directory");
  CHECK(message_of<io_error>([&] { mapped_file(here.path()); }) == here.path() + ": cannot open: Is a directory");
  CHECK(message_of<usage_error>([&] { mapped_file(here / "pipe"); }) ==
        here / "pipe: is a pipe, socket or device, not a file: read it into memory and load the bytes");
}
