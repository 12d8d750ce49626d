#include <ckpt/io/atomic_file.hpp>
#include <ckpt/io/mapped_file.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ckpt/io/abandoned_temporaries.hpp>

#include "scratch.hpp"

using namespace ckpt;
using scratch::bytes;
using scratch::error_of;
using scratch::get;
using scratch::message_of;
using scratch::put;

namespace {

using names = std::vector<std::string>;

static_assert(sink<atomic_file>);

void replace(const std::string& path, std::string_view text, atomic_file_options options = {}) {
  atomic_file file(path, text.size(), options);
  file.write(bytes(text));
  file.commit();
}

/// Bytes that tell where in the file they belong.
std::string numbered(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i ^ (i >> 8) ^ (i >> 16));
  return text;
}

}  // namespace

TEST_CASE("atomic_file: a new file has the content, the mode and no company") {
  const scratch::directory here;
  const mode_t umask_before = ::umask(0777);
  replace(here / "a", "hello");
  replace(here / "b", "hello", {.mode = 0664});
  ::umask(umask_before);
  CHECK(scratch::mode_of(here / "a") == 0400);
  CHECK(scratch::mode_of(here / "b") == 0664);
  CHECK(::chmod((here / "a").c_str(), 0600) == 0);
  CHECK(get(here / "a") == "hello");
  CHECK(here.names() == names{"a", "b"});
}

TEST_CASE("atomic_file: the target is the old file until commit, and the new one after") {
  const scratch::directory here;
  put(here / "a", "old");
  atomic_file file(here / "a", 6, {.sync = durability::none, .mode = 0600});
  CHECK(here.names().size() == 2);
  CHECK(get(here / "a") == "old");
  file.write(bytes("new"));
  file.write(bytes("er!"));
  CHECK(get(here / "a") == "old");
  CHECK(file.written() == 6);
  CHECK(file.size() == 6);
  file.commit();
  CHECK(get(here / "a") == "newer!");
  CHECK(here.names() == names{"a"});
}

TEST_CASE("atomic_file: the temporary file is private, hidden and named after the target") {
  const scratch::directory here;
  const atomic_file file(here / "net.ckpt", 3, {.mode = 0666});
  REQUIRE(here.names().size() == 1);
  const std::string name = here.names()[0];
  CHECK(name.size() == std::string(".net.ckpt.0123456789abcdef.tmp").size());
  CHECK(name.substr(0, 10) == ".net.ckpt.");
  CHECK(name.substr(10, 16).find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(name.substr(26) == ".tmp");
  CHECK(scratch::mode_of(here / name) == 0600);
}

TEST_CASE("atomic_file: two of one target at a time have different temporary files; the last commit stays") {
  const scratch::directory here;
  atomic_file first(here / "a", 5, {.mode = 0600});
  atomic_file second(here / "a", 6, {.mode = 0600});
  CHECK(here.names().size() == 2);
  second.write(bytes("second"));
  second.commit();
  first.write(bytes("first"));
  first.commit();
  CHECK(get(here / "a") == "first");
  CHECK(here.names() == names{"a"});
}

TEST_CASE("atomic_file: without commit nothing has happened") {
  const scratch::directory here;
  put(here / "a", "old");
  {
    atomic_file file(here / "a", 3);
    file.write(bytes("new"));
  }
  CHECK(get(here / "a") == "old");
  CHECK(here.names() == names{"a"});
}

TEST_CASE("atomic_file: an empty file") {
  const scratch::directory here;
  put(here / "a", "old");
  replace(here / "a", "", {.mode = 0600});
  CHECK(get(here / "a").empty());
  CHECK(here.names() == names{"a"});
}

TEST_CASE("atomic_file: the room is there before the first byte") {
  const scratch::directory here;
  const atomic_file file(here / "a", 1 << 20);
  if (!file.is_reserved()) return;  // a file system that cannot
  struct stat status{};
  REQUIRE(::stat((here / here.names()[0]).c_str(), &status) == 0);
  CHECK(status.st_size == 1 << 20);
  CHECK(status.st_blocks * 512 >= 1 << 20);
}

TEST_CASE("atomic_file: writes of all sizes across the borders of pieces arrive in order") {
  const scratch::directory here;
  const std::size_t piece = atomic_file::piece;
  const std::string text = numbered(3 * piece + 12345);
  for (const durability sync : {durability::none, durability::full}) {
    atomic_file file(here / "a", text.size(), {.sync = sync, .mode = 0600});
    std::string_view rest = text;
    const auto both = [&](std::size_t first, std::size_t second) {
      file.write(bytes(rest.substr(0, first)), bytes(rest.substr(first, second)));
      rest.remove_prefix(first + second);
    };
    both(0, 0);
    both(7, piece - 7);
    both(0, 1);
    both(1, 0);
    both(90, piece - 92 - 5);
    both(10, 10);
    both(piece / 2, rest.size() - piece / 2);
    CHECK(rest.empty());
    file.commit();
    CHECK(get(here / "a") == text);
  }
}

TEST_CASE("atomic_file: a wrong number of bytes is refused, and the old file stays") {
  const scratch::directory here;
  const std::string path = here / "a";
  put(path, "old");
  {
    atomic_file file(path, 5);
    file.write(bytes("1234"));
    const auto error = error_of<usage_error>([&] { file.commit(); });
    CHECK(std::string(error.what()) == path + ": 4 bytes written, 5 announced");
    CHECK(error.code() == errc::invalid_argument);
    CHECK(error.path() == path);
    CHECK(error.expected() == "5 bytes");
    CHECK(error.found() == "4 bytes");
    CHECK(message_of<usage_error>([&] { file.write(bytes("56")); }) == path + ": 6 bytes written, 5 announced");
    CHECK(message_of<usage_error>([&] { file.write(bytes("5"), bytes("6")); }) ==
          path + ": 6 bytes written, 5 announced");
    CHECK(file.written() == 4);
  }
  CHECK(get(path) == "old");
  CHECK(here.names() == names{"a"});
}

TEST_CASE("atomic_file: nothing goes on after commit") {
  const scratch::directory here;
  const std::string path = here / "a";
  atomic_file file(path, 1, {.mode = 0600});
  file.write(bytes("1"));
  file.commit();
  CHECK(message_of<usage_error>([&] { file.commit(); }) == path + ": commit for the second time");
  CHECK(message_of<usage_error>([&] { file.write(bytes("2")); }) == path + ": write after commit");
  CHECK(get(path) == "1");
}

TEST_CASE("atomic_file: saving over a file that its own reader has mapped") {
  const scratch::directory here;
  const std::string old = numbered(1 << 20);
  put(here / "a", old);
  const mapped_file reader(here / "a");
  atomic_file file(here / "a", reader.size(), {.mode = 0600});
  file.write({reader.data() + 1, old.size() - 1});
  file.write({reader.data(), 1});
  file.commit();
  CHECK(scratch::text({reader.data(), old.size()}) == old);
  CHECK(get(here / "a") == old.substr(1) + old[0]);
}

TEST_CASE("atomic_file: a link as target stays, and the file behind it is replaced") {
  const scratch::directory here;
  std::filesystem::create_directories(here / "d/e");
  put(here / "d/real", "old");
  std::filesystem::create_symlink("e/two", here / "d/one");  // relative to where the link lies
  std::filesystem::create_symlink("../real", here / "d/e/two");
  std::filesystem::create_symlink(here / "d/one", here / "link");
  atomic_file file(here / "link", 3, {.mode = 0600});
  CHECK(std::filesystem::equivalent(file.path(), here / "d/real"));
  file.write(bytes("new"));
  file.commit();
  CHECK(std::filesystem::is_symlink(here / "link"));
  CHECK(std::filesystem::is_symlink(here / "d/one"));
  CHECK(!std::filesystem::is_symlink(here / "d/real"));
  CHECK(get(here / "d/real") == "new");
  CHECK(here.names() == names{"d", "link"});
}

TEST_CASE("atomic_file: a link to nothing makes the file behind it") {
  const scratch::directory here;
  std::filesystem::create_directory(here / "d");
  std::filesystem::create_symlink("d/new", here / "link");
  replace(here / "link", "new", {.mode = 0600});
  CHECK(std::filesystem::is_symlink(here / "link"));
  CHECK(get(here / "d/new") == "new");
}

TEST_CASE("atomic_file: links in a circle are refused") {
  const scratch::directory here;
  std::filesystem::create_symlink("b", here / "a");
  std::filesystem::create_symlink("a", here / "b");
  const auto error = error_of<io_error>([&] { atomic_file(here / "a", 1); });
  CHECK(std::string(error.what()) == here / "a: cannot write there: Too many levels of symbolic links");
  CHECK(error.cause() == std::errc::too_many_symbolic_link_levels);
  CHECK(here.names() == names{"a", "b"});
}

TEST_CASE("atomic_file: a directory as target is refused") {
  const scratch::directory here;
  std::filesystem::create_directory(here / "d");
  std::filesystem::create_symlink("d", here / "link");
  CHECK(message_of<io_error>([&] { atomic_file(here / "d", 1); }) == here / "d: cannot write there: Is a directory");
  CHECK(message_of<io_error>([&] { atomic_file(here / "link", 1); }) ==
        here / "link: cannot write there: Is a directory");
  CHECK(message_of<io_error>([&] { atomic_file(here / "d/..", 1); }) ==
        here / "d/..: cannot write there: Is a directory");
  CHECK(message_of<usage_error>([&] { atomic_file(here / "d/", 1); }) ==
        here / "d/: names a directory: add the name of a file");
  CHECK(here.names() == names{"d", "link"});
}

TEST_CASE("atomic_file: a device or pipe as target is not replaced") {
  const scratch::directory here;
  REQUIRE(::mkfifo((here / "pipe").c_str(), 0600) == 0);
  std::filesystem::create_symlink("/dev/null", here / "null");
  const std::string refusal = ": is a pipe, socket or device, not a file: choose another path";
  CHECK(message_of<usage_error>([&] { atomic_file(here / "pipe", 1); }) == here / "pipe" + refusal);
  CHECK(message_of<usage_error>([&] { atomic_file(here / "null", 1); }) == here / "null" + refusal);
  CHECK(here.names() == names{"null", "pipe"});
}

TEST_CASE("atomic_file: a missing directory, and a file in a directory's place") {
  const scratch::directory here;
  put(here / "f", "file");
  CHECK(message_of<io_error>([&] { atomic_file(here / "no/a", 1); }) ==
        here / "no/a: cannot open the directory \"" + here / "no\": No such file or directory");
  CHECK(message_of<io_error>([&] { atomic_file(here / "f/a", 1); }) ==
        here / "f/a: cannot write there: Not a directory");
}

TEST_CASE("atomic_file: a target that vanishes into a directory's name during the save leaves no temporary") {
  const scratch::directory here;
  {
    atomic_file file(here / "a", 1);
    std::filesystem::create_directory(here / "a");
    file.write(bytes("1"));
    CHECK(message_of<io_error>([&] { file.commit(); }) ==
          here / "a: cannot rename the temporary file to it: Is a directory");
    CHECK(message_of<usage_error>([&] { file.commit(); }) == here / "a: commit for the second time");
  }
  CHECK(here.names() == names{"a"});
}

TEST_CASE("atomic_file: the longest name there is, and one too long") {
  const scratch::directory here;
  std::string longest = "xx";
  for (int i = 0; i < 126; ++i) longest += "\xc3\xad";  // two bytes each: the cut falls into one
  for (const std::string& name : {longest, std::string(255, 'y'), std::string(234, 'z'), std::string(233, 'z')}) {
    CAPTURE(name);
    replace(here / name, "new", {.mode = 0600});
    CHECK(get(here / name) == "new");
  }
  {
    const atomic_file file(here / longest, 1);
    const names both = here.names();
    CHECK(both[0].size() == 254);  // ".", 232 bytes of the name, ".", 16 digits, ".tmp"
  }
  CHECK(message_of<io_error>([&] { atomic_file(here / std::string(256, 'y'), 1); }) ==
        here / std::string(256, 'y') + ": cannot write there: File name too long");
}

TEST_CASE("atomic_file: paths that make no sense") {
  CHECK(message_of<usage_error>([] { atomic_file("", 1); }) == "the path to write to is empty");
  CHECK(message_of<usage_error>([] { atomic_file(std::string("a\0b", 3), 1); }) ==
        "a: the path goes on after a NUL byte");
}

TEST_CASE("atomic_file: a mode with more than permissions") {
  const scratch::directory here;
  CHECK(message_of<usage_error>([&] { atomic_file(here / "a", 1, {.mode = 0100644}); }) ==
        here / "a: the mode has other bits than permissions: use one like 0644");
  CHECK(here.names().empty());
}

TEST_CASE("atomic_file: a size that no file can have") {
  const scratch::directory here;
  CHECK(message_of<io_error>([&] { atomic_file(here / "a", std::uint64_t{1} << 63); }) ==
        here / "a: cannot reserve 9223372036854775808 bytes: File too large");
  CHECK(here.names().empty());
}

TEST_CASE("atomic_file: what cannot be reserved is an error before the first byte, and leaves no temporary") {
  const scratch::directory here;
  put(here / "a", "old");
  const auto handler_before = std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit_before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &limit_before) == 0);
  rlimit limit = limit_before;
  limit.rlim_cur = 4096;
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  std::string message;
  try {
    const atomic_file file(here / "a", 8192);
    if (!file.is_reserved()) message = "cannot";
  } catch (const io_error& error) {
    message = error.what();
  }
  CHECK(::setrlimit(RLIMIT_FSIZE, &limit_before) == 0);
  std::signal(SIGXFSZ, handler_before);
  if (message != "cannot") CHECK(message == here / "a: cannot reserve 8192 bytes: File too large");
  CHECK(get(here / "a") == "old");
  CHECK(here.names() == names{"a"});
}

TEST_CASE("atomic_file: a path without directory lies in the working directory, also after that has changed") {
  const scratch::directory here;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(here.path());
  std::string path;
  {
    atomic_file file("a", 3, {.mode = 0600});
    std::filesystem::current_path(before);
    path = file.path();
    file.write(bytes("new"));
    file.commit();
  }
  CHECK(path == "a");
  CHECK(get(here / "a") == "new");
  CHECK(here.names() == names{"a"});
}

TEST_CASE("atomic_file: what has been overtaken at the last moment replaces nothing and leaves nothing") {
  const scratch::directory here;
  put(here / "a", "old");
  atomic_file file(here / "a", 3, {.mode = 0600});
  const file_descriptor known = file.known_target();
  CHECK(file.is_target_among({&known, 1}));
  CHECK(!file.is_target_among({}));
  file.write(bytes("new"));
  replace(here / "a", "newer");
  CHECK(!file.is_target_among({&known, 1}));
  CHECK(!file.commit_unless([&] { return !file.is_target_among({&known, 1}); }));
  CHECK(get(here / "a") == "newer");
  CHECK(here.names() == names{"a"});
  std::filesystem::remove(here / "a");
  atomic_file again(here / "a", 3, {.mode = 0600});
  const file_descriptor own = again.known_file();
  CHECK(again.known_target().get() == -1);
  CHECK(again.is_target_among({}));  // nothing is there
  again.write(bytes("new"));
  CHECK(again.commit_unless([] { return false; }));
  CHECK(again.is_target_among({&own, 1}));
}

TEST_CASE("atomic_file: durable is what was synced and lies on a disk") {
  const scratch::directory here;
  atomic_file quick(here / "a", 0, {.sync = durability::none});
  quick.commit();
  CHECK(!quick.is_durable());
  const bool in_memory = directory(here.path(), directory::use::with_sync, "f").is_in_memory();
  atomic_file safe(here / "a", 0);
  CHECK(!safe.is_durable());
  safe.commit();
  CHECK(safe.is_durable() == !in_memory);
}

TEST_CASE("atomic_file: what is kept in memory is not durable, however it was synced") {
  const std::filesystem::path folder = "/dev/shm";
  if (!std::filesystem::exists(folder) || !directory(folder, directory::use::with_sync, "f").is_in_memory()) return;
  const std::string path = folder / ("ckpt-atomic-file-" + std::to_string(::getpid()));
  atomic_file file(path, 0, {.mode = 0600});
  file.commit();
  CHECK(!file.is_durable());
  std::filesystem::remove(path);
}

TEST_CASE("atomic_file: no descriptor is left open, whatever happens") {
  const scratch::directory here;
  const auto open_now = [] {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
      count += entry.path().empty() ? 0 : 1;
    return count;
  };
  if (!std::filesystem::exists("/proc/self/fd")) return;
  const int before = open_now();
  replace(here / "a", "1");
  CHECK(message_of<io_error>([&] { atomic_file(here.path(), 1); }) ==
        here.path() + ": cannot write there: Is a directory");
  CHECK(message_of<io_error>([&] { atomic_file(here / "a", ~std::uint64_t{0}); }) != "(nothing thrown)");
  {
    const atomic_file file(here / "a", 1);
  }
  CHECK(open_now() == before);
}

TEST_CASE("atomic_file: another program that this one starts inherits no descriptor") {
  const scratch::directory here;
  if (!std::filesystem::exists("/proc/self/fd")) return;
  const auto inherited = [] {
    std::vector<int> all;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      const int descriptor = std::stoi(entry.path().filename());
      const int flags = ::fcntl(descriptor, F_GETFD);
      if (flags >= 0 && (flags & FD_CLOEXEC) == 0) all.push_back(descriptor);
    }
    std::sort(all.begin(), all.end());
    return all;
  };
  const std::vector<int> before = inherited();
  put(here / "a", "old");
  atomic_file file(here / "a", 3);
  const file_descriptor target = file.known_target();
  const file_descriptor own = file.known_file();
  file.write(bytes("new"));
  CHECK(inherited() == before);
  CHECK(file.commit_unless([&] {
    CHECK(inherited() == before);
    return false;
  }));
}

TEST_CASE("atomic_file: is taken for abandoned by nobody until it has the target's name") {
  const scratch::directory here;
  const auto removed = [&] { return remove_abandoned_temporaries(here.path(), [](std::string_view) { return true; }); };
  atomic_file file(here / "a", 3, {.mode = 0600});
  CHECK(removed() == 0);
  file.write(bytes("new"));
  CHECK(removed() == 0);
  CHECK(file.commit_unless([&] {
    CHECK(removed() == 0);
    return false;
  }));
  CHECK(get(here / "a") == "new");
}

TEST_CASE("atomic_file: parts may come in any order, none past the announced size, and none may be missing") {
  const scratch::directory here;
  put(here / "a", "old");
  {
    atomic_file file(here / "a", 6, {.mode = 0600});
    file.write_at(4, bytes("ef"));
    const auto refused = [&](std::uint64_t offset, std::string_view text) {
      return error_of<usage_error>([&] { file.write_at(offset, bytes(text)); }).text();
    };
    CHECK(refused(4, "efg") == "7 bytes written, 6 announced");
    CHECK(refused(7, "") == "7 bytes written, 6 announced");
    CHECK(refused(~std::uint64_t{0}, "gh") == "1 bytes written, 6 announced");
    file.write_at(0, bytes("ab"));
    CHECK(message_of<usage_error>([&] { file.commit(); }) == here / "a: 4 bytes written, 6 announced");
  }
  CHECK(get(here / "a") == "old");
  atomic_file file(here / "a", 6, {.mode = 0600});
  file.write_at(2, bytes("cd"));
  file.write_at(4, bytes("ef"));
  file.write_at(0, bytes("ab"));
  file.write_at(6, {});
  file.commit();
  CHECK(get(here / "a") == "abcdef");
  CHECK(message_of<usage_error>([&] { file.write_at(0, bytes("x")); }) == here / "a: write after commit");
}

TEST_CASE("atomic_file: overwrites what was written, counted from the end") {
  const scratch::directory here;
  atomic_file file(here / "f", 8, {.mode = 0600});
  file.write(scratch::bytes("abcdef"));
  file.overwrite(6, scratch::bytes("AB"));
  file.overwrite(1, scratch::bytes("F"));
  CHECK(scratch::message_of<usage_error>([&] { file.overwrite(7, scratch::bytes("x")); }) ==
        here / "f" + ": overwrites what was not written");
  CHECK(scratch::message_of<usage_error>([&] { file.overwrite(1, scratch::bytes("xy")); }) ==
        here / "f" + ": overwrites what was not written");
  file.write(scratch::bytes("gh"));
  file.overwrite(2, scratch::bytes("GH"));
  file.commit();
  CHECK(scratch::get(here / "f") == "ABcdeFGH");
  CHECK(scratch::message_of<usage_error>([&] { file.overwrite(1, scratch::bytes("x")); }) ==
        here / "f" + ": write after commit");
}
