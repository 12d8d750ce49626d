#include <ckpt/io/directory.hpp>

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "scratch.hpp"

using namespace ckpt;
using scratch::get;
using scratch::message_of;

TEST_CASE("directory: make, rename and remove a file") {
  const scratch::directory here;
  scratch::put(here / "target", "old");
  for (const auto purpose : {directory::use::with_sync, directory::use::without_sync}) {
    const directory opened(here.path(), purpose, "the target");
    file_descriptor file = opened.create("new");
    CHECK(file.get() >= 0);
    CHECK(file.path() == "the target");
    CHECK(opened.create("new").get() == -1);  // taken
    file.write_at(0, scratch::bytes("new"));
    CHECK(scratch::mode_of(here / "new") == 0600);
    opened.rename("new", "target");
    CHECK(get(here / "target") == "new");
    CHECK(here.names() == std::vector<std::string>{"target"});
    CHECK(!opened.remove("target"));
    CHECK(here.names().empty());
    CHECK(!opened.remove("target"));  // not there: nothing to say
    CHECK(message_of<io_error>([&] { opened.rename("new", "target"); }) ==
          "the target: cannot rename the temporary file to it: No such file or directory");
  }
}

TEST_CASE("directory: knows a file again, under whatever name, and no other in its place") {
  const scratch::directory here;
  scratch::put(here / "a", "old");
  const directory opened(here.path(), directory::use::without_sync, "f");
  const file_descriptor known = opened.open_to_know("a");
  CHECK(opened.holds("a", known));
  opened.rename("a", "b");
  CHECK(!opened.has("a"));
  CHECK(opened.holds("b", known));
  scratch::put(here / "a", "new");
  CHECK(opened.has("a"));
  CHECK(!opened.holds("a", known));
  CHECK(opened.open_to_know("none").get() == -1);
}

TEST_CASE("directory: knows a file from one of another file system that has the same number there") {
  // Of most virtual file systems the root is number 1. Where these are not mounted, they are two folders of one.
  const directory root("/", directory::use::without_sync, "f");
  const file_descriptor known = root.open_to_know("sys");
  if (known.get() >= 0) CHECK(!root.holds("proc", known));
}

TEST_CASE("directory: says why it does not remove a file") {
  const scratch::directory here;
  std::filesystem::create_directory(here / "d");
  CHECK(directory(here.path(), directory::use::without_sync, "f").remove("d") == std::errc::is_a_directory);
}

TEST_CASE("directory: can be synced when opened for it") {
  const scratch::directory here;
  CHECK(directory(here.path(), directory::use::with_sync, "f").sync());
#ifdef O_PATH
  CHECK(message_of<io_error>([&] { directory(here.path(), directory::use::without_sync, "f").sync(); }) ==
        "f: the new file is in place, but a power cut may still bring back the old one: cannot sync the directory: Bad "
        "file descriptor");
  CHECK(message_of<io_error>([&] { directory(here.path(), directory::use::without_sync, "f").sync("so what"); }) ==
        "f: so what: cannot sync the directory: Bad file descriptor");
#endif
}

TEST_CASE("directory: is opened as one or not at all") {
  const scratch::directory here;
  scratch::put(here / "file", "");
  CHECK(message_of<io_error>([&] { directory(here / "none", directory::use::with_sync, "f"); }) ==
        "f: cannot open the directory \"" + here / "none\": No such file or directory");
  CHECK(message_of<io_error>([&] { directory(here / "file", directory::use::without_sync, "f"); }) ==
        "f: cannot open the directory \"" + here / "file\": Not a directory");
}

TEST_CASE("directory: does not make a file through a link") {
  const scratch::directory here;
  std::filesystem::create_symlink("elsewhere", here / "link");
  const directory opened(here.path(), directory::use::with_sync, "f");
  CHECK(opened.create("link").get() == -1);
  CHECK(here.names() == std::vector<std::string>{"link"});
  CHECK(message_of<io_error>([&] { static_cast<void>(opened.create("no/file")); }) ==
        "f: cannot create a temporary file beside it: No such file or directory");
}

TEST_CASE("directory: a name can be 255 bytes, or what the file system says") {
  const scratch::directory here;
  const directory opened(here.path(), directory::use::with_sync, "f");
  const std::size_t longest = opened.longest_name();
  CHECK(longest >= 14);
  CHECK(opened.create(std::string(longest, 'x')).get() >= 0);
  CHECK(message_of<io_error>([&] { static_cast<void>(opened.create(std::string(longest + 1, 'x'))); }) ==
        "f: cannot create a temporary file beside it: File name too long");
}

TEST_CASE("directory: knows a file system that is kept in memory") {
  std::ifstream mounts("/proc/mounts");  // in a bare chroot both are missing, or are folders like others
  const std::string all(std::istreambuf_iterator<char>(mounts), {});
  if (all.find(" /dev/shm tmpfs ") == std::string::npos || all.find(" /proc proc ") == std::string::npos) return;
  CHECK(directory("/dev/shm", directory::use::with_sync, "f").is_in_memory());
  CHECK(!directory("/proc/self", directory::use::with_sync, "f").is_in_memory());
}
