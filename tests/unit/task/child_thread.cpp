#include <ckpt/task/child_thread.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <span>
#include <string>

#include <sys/mman.h>

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
  });
  const exit_status how = child.wait();
  CHECK(!how.by_signal);
  CHECK(how.number == 0);
  CHECK(::munmap(memory, size) == 0);
}
