#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O2")  // which is when GCC chooses other registers for a system call's arguments, if it may
#endif

#include <ckpt/task/child_thread.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../support.hpp"

using namespace ckpt;

namespace {

struct listener {
  child_thread thread;
  std::atomic<int> heard{0};
  const std::byte* where = nullptr;
  std::size_t size = 0;

  void run() {
    for (;;) {
      thread.wait();
      thread.touch(where, size);
      ++heard;
      heard.notify_one();
    }
  }
};

/// Of the file that each touched byte is written to, over the last one. Allocates nothing.
off_t size_of_touched() noexcept {
  for (int file = 0; file < 1024; ++file) {
    char link[32];
    char name[64];
    static_cast<void>(std::snprintf(link, sizeof link, "/proc/self/fd/%d", file));
    const ssize_t length = ::readlink(link, name, sizeof name);
    if (length < 0 ||
        std::string_view(name, static_cast<std::size_t>(length)).find("touched") == std::string_view::npos)
      continue;
    struct stat status{};
    return ::fstat(file, &status) == 0 ? status.st_size : -1;
  }
  return -1;
}

}  // namespace

TEST_CASE("child_thread: does its work beside the first one, also where memory cannot be read, and ends with it") {
  constexpr std::size_t page = 4096;
  constexpr std::size_t size = 600 * page;
  void* const memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(memory != MAP_FAILED);
  static listener other;
  other.where = static_cast<const std::byte*>(memory);
  other.size = size;
  child_process child({}, "f", [&](const child_channel&) {
    if (support::threads_of_this_process() != 1) child_channel::leave(1);
    if (!other.thread.start<&listener::run>(other)) child_channel::leave(child_process::has_sanitizer() ? 0 : 2);
    if (support::threads_of_this_process() != 2) child_channel::leave(3);
    for (const bool can_be_read : {true, false}) {
      if (::mprotect(memory, size, can_be_read ? PROT_READ : PROT_NONE) != 0) child_channel::leave(4);
      const int before = other.heard;
      other.thread.wake();
      while (other.heard == before) other.heard.wait(before);
    }
    if (!child_process::has_sanitizer() && size_of_touched() != 256) child_channel::leave(5);
  });
  const exit_status how = child.wait();
  CHECK(!how.by_signal);
  CHECK(how.number == 0);
  CHECK(::munmap(memory, size) == 0);
}
