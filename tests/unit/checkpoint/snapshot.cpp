#include <ckpt/checkpoint/snapshot.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "../format/planned.hpp"
#include "../support.hpp"

using namespace ckpt;

namespace {

using bytes = std::vector<std::byte>;

bytes random_bytes(std::size_t size) {
  bytes made(size);
  support::numbers random(1);
  for (std::byte& each : made) each = static_cast<std::byte>(random.next() >> 56);
  return made;
}

/// Small, empty and large segments, and one that is gathered: about `size` bytes.
struct mixed {
  explicit mixed(std::size_t size)
      : memory(random_bytes(size)),
        view(tensor_view::strided(dtype::uint8, {static_cast<std::int64_t>(size / 4), 2}, memory.data(),
                                  {1, static_cast<std::int64_t>(size / 4)})),
        strided{&view, 0} {
    std::size_t at = 0;
    for (const std::size_t part : {std::size_t{3}, std::size_t{0}, size / 4, std::size_t{1}, size / 2}) {
      what.add(std::span<const std::byte>(memory).subspan(at, part));
      at += part;
    }
    what.add(segment(strided, size / 4 * 2));
    what.add(std::span<const std::byte>(memory).first(17));
  }

  bytes memory;
  tensor_view view;
  gather strided;
  plan what;
};

/// A sink that does something before it takes what is written at the `at`-th call, from 1.
struct interrupted_sink {
  int at;
  std::function<void()> there;
  bytes written{};
  int count = 0;

  void write(std::span<const std::byte> from) {
    if (++count == at) there();
    memory_sink(written).write(from);
  }
};

constexpr double never = 0;     // patience of who waits for no write
constexpr double always = 1e9;  // and for every one

constexpr std::size_t sizes[] = {64, (1 << 20) - 21, 1 << 20, 21 << 20};

}  // namespace

TEST_CASE("snapshot: the image is the file, whatever the pieces and the threads") {
  for (const std::size_t size : sizes) {
    const mixed made(size);
    const std::string expected = support::planned(made.what);
    for (const unsigned threads : {0U, 1U, 2U, 7U}) {
      bytes image(expected.size());
      detail::snapshot taken(made.what, image);
      detail::stopwatch watch;
      taken.take(threads, watch);
      taken.wait();
      CHECK(taken.seconds() > 0);
      CHECK((support::text(image) == expected));
      bytes written;
      memory_sink to(written);
      std::uint64_t reported = 0;
      taken.write(to, to, [&](std::uint64_t done) {
        CHECK(done > reported);
        reported = done;
      });
      CHECK(reported == expected.size());
      CHECK((support::text(written) == expected));
    }
  }
}

TEST_CASE("snapshot: nothing") {
  const plan what;
  detail::snapshot taken(what, {});
  detail::stopwatch watch;
  taken.take(0, watch);
  bytes written;
  memory_sink to(written);
  taken.write(to, to, [](std::uint64_t) { FAIL("nothing was written"); });
  CHECK(written.empty());
}

TEST_CASE("snapshot: who writes begins before it is taken, and gets the bytes from before") {
  for (const std::size_t size : sizes) {
    for (const std::size_t ahead : {std::size_t{0}, std::size_t{1}, std::size_t{5}, std::size_t{999}}) {
      mixed made(size);
      const std::string expected = support::planned(made.what);
      bytes image(expected.size());
      detail::snapshot taken(made.what, image);
      bytes written;
      memory_sink to(written);
      std::binary_semaphore begun(0);
      std::binary_semaphore may_go_on(0);
      std::thread writer([&] {
        std::size_t count = 0;
        taken.write(to, to, [&](std::uint64_t done) {
          ++count;
          // Held up by a slow disk, after `ahead` pieces, or with all that there are.
          if (count != ahead && !(count < ahead && done == expected.size())) return;
          begun.release();
          may_go_on.acquire();
        });
      });
      // Those who write all of it before it is taken wait for that, too, at last.
      if (ahead != 0 && ahead < expected.size() >> 19U) begun.acquire();
      detail::stopwatch watch;
      taken.take(2, watch);
      std::fill(made.memory.begin(), made.memory.end(), std::byte{0});
      may_go_on.release();
      writer.join();
      CHECK((support::text(written) == expected));
    }
  }
}

TEST_CASE("snapshot: what lies in one piece is written from there, but the first, and what comes after a slow write") {
  const bytes memory = random_bytes(4 << 20);
  plan what;
  what.add(std::span(memory).first((3 << 20) + 5));
  what.add(std::span(memory).subspan((3 << 20) + 5));
  for (const double patience : {never, always}) {
    bytes image(memory.size());
    detail::snapshot taken(what, image, patience);
    struct {
      const bytes* memory;
      bytes written{};
      std::size_t straight = 0;
      void write(std::span<const std::byte> from) {
        if (from.data() >= memory->data() && from.data() < memory->data() + memory->size()) straight += from.size();
        memory_sink(written).write(from);
      }
    } to{&memory};
    std::thread taking;
    taken.write(to, to, [&](std::uint64_t done) {
      if (done < memory.size()) return;
      taking = std::thread([&] {
        detail::stopwatch watch;
        taken.take(2, watch);
      });
    });
    taking.join();
    // Of eight pieces of 512 KiB all but the first and that of both segments.
    CHECK(to.straight == (patience == always ? 3 << 20 : 0));
    CHECK((to.written == memory));
  }
}

TEST_CASE("snapshot: after a slow write nobody who writes is waited for") {
  mixed made(21 << 20);
  const std::string expected = support::planned(made.what);
  bytes image(expected.size());
  detail::snapshot taken(made.what, image, never);
  std::binary_semaphore begun(0);
  std::binary_semaphore may_go_on(0);
  interrupted_sink to{5, [&] {
                        begun.release();
                        may_go_on.acquire();
                      }};
  std::thread writer([&] { taken.write(to, to, [](std::uint64_t) {}); });
  begun.acquire();
  detail::stopwatch watch;
  taken.take(2, watch);
  std::fill(made.memory.begin(), made.memory.end(), std::byte{0});
  may_go_on.release();
  writer.join();
  CHECK((support::text(to.written) == expected));
}

TEST_CASE("snapshot: it is taken when nothing is written from the tensors any more") {
  bytes memory = random_bytes(4 << 20);
  const bytes expected = memory;
  plan what;
  what.add(memory);
  bytes image(memory.size());
  detail::snapshot taken(what, image, always);
  std::binary_semaphore begun(0);
  std::binary_semaphore is_taken(0);
  interrupted_sink to{2, [&] {
                        begun.release();
                        CHECK(!is_taken.try_acquire_for(std::chrono::milliseconds(50)));
                      }};
  std::thread writer([&] { taken.write(to, to, [](std::uint64_t) {}); });
  begun.acquire();
  detail::stopwatch watch;
  taken.take(2, watch);
  is_taken.release();
  std::fill(memory.begin(), memory.end(), std::byte{0});
  writer.join();
  CHECK((to.written == expected));
}

TEST_CASE("snapshot: it is taken though who was to write has failed") {
  for (const int failing : {1, 2, 6}) {
    const mixed made(21 << 20);
    bytes image(static_cast<std::size_t>(made.what.size()));
    detail::snapshot taken(made.what, image, always);
    interrupted_sink to{failing, [] { throw std::runtime_error("full"); }};
    CHECK_THROWS_WITH(taken.write(to, to, [](std::uint64_t) {}), "full");
    detail::stopwatch watch;
    taken.take(2, watch);
    taken.wait();
  }
}
