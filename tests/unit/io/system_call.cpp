#include <ckpt/io/system_call.hpp>

#include <doctest/doctest.h>

#include <cerrno>
#include <string>

#include "scratch.hpp"

using namespace ckpt;

TEST_CASE("uninterrupted: goes on after EINTR and after nothing else") {
  int calls = 0;
  const int result = uninterrupted([&] {
    ++calls;
    errno = calls < 3 ? EINTR : EIO;
    return -1;
  });
  CHECK(result == -1);
  CHECK(calls == 3);
  CHECK(last_error() == std::errc::io_error);
  calls = 0;
  errno = EINTR;
  CHECK(uninterrupted([&] { return ++calls; }) == 1);
}

TEST_CASE("throw_io_error: path, text, reason, offset") {
  const std::error_code full = std::make_error_code(std::errc::no_space_on_device);
  const auto error = scratch::error_of<io_error>([&] { throw_io_error(full, "p", "cannot write", 8); });
  CHECK(std::string(error.what()) == "p: cannot write: No space left on device, at byte 8");
  CHECK(error.code() == errc::system);
  CHECK(error.cause() == full);
  CHECK(error.path() == "p");
  CHECK(error.offset() == 8);
  CHECK(scratch::message_of<io_error>([&] { throw_io_error(full, "p", "cannot write"); }) ==
        "p: cannot write: No space left on device");
}
