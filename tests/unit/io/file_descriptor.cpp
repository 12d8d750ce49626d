#include <ckpt/io/file_descriptor.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.hpp"

using namespace ckpt;
using scratch::bytes;
using scratch::get;
using scratch::message_of;

namespace {

file_descriptor create(const std::string& path) {
  return {::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600), path};
}

bool is_open(int descriptor) { return ::fcntl(descriptor, F_GETFD) != -1; }

}  // namespace

TEST_CASE("file_descriptor: owns, moves and closes") {
  const scratch::directory here;
  int number = -1;
  {
    file_descriptor a = create(here / "a");
    number = a.get();
    CHECK(is_open(number));
    CHECK(::fcntl(number, F_GETFD) == FD_CLOEXEC);
    file_descriptor b = std::move(a);
    CHECK(a.get() == -1);  // NOLINT(bugprone-use-after-move): that is the contract
    CHECK(b.get() == number);
    file_descriptor c;
    CHECK(c.get() == -1);
    c = std::move(b);
    CHECK(c.get() == number);
    CHECK(c.path() == here / "a");
    CHECK(is_open(number));
  }
  CHECK(!is_open(number));
}

TEST_CASE("file_descriptor: close tells, and happens once") {
  const scratch::directory here;
  file_descriptor file = create(here / "a");
  const int number = file.get();
  file.close();
  CHECK(!is_open(number));
  CHECK(file.get() == -1);
  file.close();
  file_descriptor wrong(number, "a");
  CHECK(message_of<io_error>([&] { wrong.close(); }) == "a: cannot close: Bad file descriptor");
}

TEST_CASE("file_descriptor: write in one part and in two, read back") {
  const scratch::directory here;
  file_descriptor file = create(here / "a");
  file.write_at(0, {});
  CHECK(file.size() == 0);
  file.write_at(0, bytes("abc"), bytes("defg"));
  file.write_at(7, {}, bytes("hi"));
  file.write_at(9, bytes("j"), {});
  file.write_at(1, bytes("B"));
  CHECK(get(here / "a") == "aBcdefghij");
  CHECK(file.size() == 10);
  std::array<std::byte, 4> four{};
  CHECK(file.read_at(2, four.data(), four.size()) == 4);
  CHECK(scratch::text(four) == "cdef");
  CHECK(file.read_at(8, four.data(), four.size()) == 2);
  CHECK(file.read_at(10, four.data(), four.size()) == 0);
  CHECK(file.read_at(1000, four.data(), four.size()) == 0);
}

TEST_CASE("file_descriptor: errors say what was tried, where and why") {
  const scratch::directory here;
  scratch::put(here / "a", "abc");
  file_descriptor file = file_descriptor::open_for_reading(here / "a");
  CHECK(message_of<io_error>([&] { file.write_at(2, bytes("x")); }) ==
        here / "a: cannot write: Bad file descriptor, at byte 2");
#ifdef __linux__
  CHECK(message_of<io_error>([&] { file.reserve(123); }) == here / "a: cannot reserve 123 bytes: Bad file descriptor");
#endif
  file_descriptor none(-1, "none");
  std::array<std::byte, 1> one{};
  CHECK(message_of<io_error>([&] { none.read_at(5, one.data(), one.size()); }) ==
        "none: cannot read: Bad file descriptor, at byte 5");
  CHECK(message_of<io_error>([&] { none.sync(); }) == "none: cannot sync: Bad file descriptor");
  CHECK(message_of<io_error>([&] { none.set_mode(0640); }) == "none: cannot set the mode to 0640: Bad file descriptor");
  CHECK(message_of<io_error>([&] { static_cast<void>(none.size()); }) ==
        "none: cannot read the size: Bad file descriptor");
#ifdef __linux__
  CHECK(message_of<io_error>([&] { none.start_writeback(8, 1); }) ==
        "none: cannot start writing to the disk: Bad file descriptor, at byte 8");
#endif
}

TEST_CASE("file_descriptor: reserve gives the file its size") {
  const scratch::directory here;
  file_descriptor file = create(here / "a");
  CHECK(file.reserve(0));
  CHECK(file.size() == 0);
  if (file.reserve(5000)) CHECK(file.size() == 5000);
}

TEST_CASE("file_descriptor: where writeback cannot be asked for it is not an error") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  file_descriptor read_end(ends[0], "pipe");
  file_descriptor write_end(ends[1], "pipe");
#ifdef __linux__
  CHECK(message_of<io_error>([&] { write_end.start_writeback(0, 1); }) ==
        "pipe: cannot start writing to the disk: Illegal seek, at byte 0");
#endif
  CHECK(message_of<io_error>([&] { write_end.write_at(0, bytes("x")); }) ==
        "pipe: cannot write: Illegal seek, at byte 0");
}

TEST_CASE("open_for_reading: what is no file is refused at once") {
  const scratch::directory here;
  const auto message = [&](const std::string& path) {
    return message_of<error>([&] { static_cast<void>(file_descriptor::open_for_reading(path)); });
  };
  REQUIRE(::mkfifo((here / "pipe").c_str(), 0600) == 0);
  const std::string no_file = ": is a pipe, socket or device, not a file: read it into memory and load the bytes";
  CHECK(message(here / "pipe") == here / "pipe" + no_file);  // and does not wait for a writer
  CHECK(message("/dev/null") == "/dev/null" + no_file);
  CHECK(message(here.path()) == here.path() + ": cannot open: Is a directory");
  CHECK(message(here / "none") == here / "none: cannot open: No such file or directory");
  CHECK(message("") == "cannot open: No such file or directory");
  CHECK(message(std::string("/dev/null\0x", 11)) == "/dev/null: the path goes on after a NUL byte");
  const auto error =
      scratch::error_of<io_error>([&] { static_cast<void>(file_descriptor::open_for_reading(here / "none")); });
  CHECK(error.code() == errc::system);
  CHECK(error.cause() == std::errc::no_such_file_or_directory);
  CHECK(error.path() == here / "none");
}
