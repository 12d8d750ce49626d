#include <ckpt/task/staging_pool.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <thread>

#include "../io/forked.hpp"
#include "../support.hpp"

using namespace ckpt;
using support::message_of;

namespace {

staging_pool::lease take(const staging_pool& pool, std::size_t size, when_full full = when_full::refuse) {
  return pool.take(size, full, "f");
}

}  // namespace

TEST_CASE("staging_pool: what was used is kept for the next, who gets the same memory") {
  const staging_pool pool(1000);
  const std::byte* first = nullptr;
  {
    const staging_pool::lease lease = take(pool, 600);
    first = lease.bytes().data();
    CHECK(lease.bytes().size() == 600);
    CHECK(pool.used() == 600);
    CHECK(pool.kept() == 0);
  }
  CHECK(pool.used() == 0);
  CHECK(pool.kept() == 600);
  const staging_pool::lease smaller = take(pool, 500);
  CHECK(smaller.bytes().data() == first);
  CHECK(smaller.bytes().size() == 500);
  CHECK(pool.used() == 600);
}

TEST_CASE("staging_pool: the smallest piece that is large enough") {
  const staging_pool pool(1000);
  const std::byte* large = nullptr;
  const std::byte* small = nullptr;
  {
    const staging_pool::lease a = take(pool, 500);
    const staging_pool::lease b = take(pool, 200);
    const staging_pool::lease c = take(pool, 100);
    large = a.bytes().data();
    small = b.bytes().data();
  }
  CHECK(take(pool, 150).bytes().data() == small);
  CHECK(take(pool, 201).bytes().data() == large);
}

TEST_CASE("staging_pool: a piece that is much too large is left to others, where there is room beside it") {
  for (const std::size_t limit : {std::size_t{1000}, std::size_t{650}}) {
    const staging_pool pool(limit);
    (void)take(pool, 600);
    const staging_pool::lease small = take(pool, 100);
    CHECK(pool.used() == (limit == 1000 ? 100 : 600));
    CHECK(pool.kept() == (limit == 1000 ? 600 : 0));
  }
}

TEST_CASE("staging_pool: what the parent of a forked process had in use is not waited for there") {
  const staging_pool pool(1000);
  staging_pool::lease lease = take(pool, 600);
  CHECK(scratch::status_of_forked([&] {
          const staging_pool::lease other = take(pool, 600, when_full::wait);
          {
            const staging_pool::lease gone = std::move(lease);
          }
          return pool.used() == 600 ? 0 : 1;
        }) == 0);
}

TEST_CASE("staging_pool: what is kept makes room for what is asked for") {
  const staging_pool pool(1000);
  (void)take(pool, 600);
  const staging_pool::lease lease = take(pool, 700);
  CHECK(lease.bytes().size() == 700);
  CHECK(pool.kept() == 0);
  CHECK(pool.used() == 700);
}

TEST_CASE("staging_pool: several pieces that are kept and too small make room, too") {
  const staging_pool pool(1000);
  {
    const staging_pool::lease one = take(pool, 400);
    const staging_pool::lease other = take(pool, 400);
  }
  CHECK(pool.kept() == 800);
  const staging_pool::lease lease = take(pool, 900);
  CHECK(pool.used() == 900);
  CHECK(pool.kept() == 0);
}

TEST_CASE("staging_pool: what is in use and what is kept never pass the limit together") {
  constexpr std::size_t mib = std::size_t{1} << 20;
  const staging_pool pool(9 * mib);
  CHECK(take(pool, 9 * mib).bytes().size() == 9 * mib);
  CHECK(pool.kept() == 9 * mib);
  pool.trim();
  for (const std::size_t size : {3 * mib, 5 * mib, 4 * mib + 1, 7 * mib, 8 * mib + 1}) {
    CAPTURE(size);
    const staging_pool::lease small = take(pool, mib - 1);
    const staging_pool::lease large = take(pool, size);
    CHECK(large.bytes().size() == size);
    CHECK(pool.used() >= size + mib - 1);
    CHECK(pool.used() + pool.kept() <= 9 * mib);
  }
}

TEST_CASE("staging_pool: of a snapshot that grows no step is kept but the last, and not each one is fresh memory") {
  const staging_pool pool(std::uint64_t{1} << 30);
  for (const std::size_t first : {std::size_t{1000}, std::size_t{16} << 20}) {
    pool.trim();
    std::size_t fresh = 0;
    std::size_t size = first;
    for (std::uint64_t kept = 0; size < 3 * first; size += first / 50) {
      CHECK(take(pool, size).bytes().size() == size);
      fresh += pool.kept() == kept ? 0u : 1u;
      kept = pool.kept();
    }
    CHECK(pool.kept() < size + size / 4);
    CHECK(fresh < 20);
  }
}

TEST_CASE("staging_pool: of two sizes in turns both are kept") {
  const staging_pool pool(10'000);
  for (int i = 0; i < 3; ++i)
    for (const std::size_t size : {100u, 1000u, 200u, 2000u}) CHECK(take(pool, size).bytes().size() == size);
  const std::uint64_t kept = pool.kept();
  for (const std::size_t size : {100u, 1000u, 200u, 2000u}) (void)take(pool, size);
  CHECK(pool.kept() == kept);
}

TEST_CASE("staging_pool: trim gives back what is not in use") {
  const staging_pool pool(1000);
  const staging_pool::lease used = take(pool, 300);
  (void)take(pool, 400);
  CHECK(pool.kept() == 400);
  pool.trim();
  CHECK(pool.kept() == 0);
  CHECK(pool.used() == 300);
}

TEST_CASE("staging_pool refuses: more than it may ever have; more than it has now") {
  const staging_pool pool(1000);
  CHECK(message_of<usage_error>([&] { (void)take(pool, 1001, when_full::wait); }) ==
        "f: the snapshot takes 1001 bytes, and the staging pool has 1000: give it more, or save with .mode = "
        "ckpt::async::process, which copies nothing");
  const staging_pool::lease used = take(pool, 600);
  CHECK(message_of<usage_error>([&] { (void)take(pool, 401); }) ==
        "f: the staging pool is full: the snapshot takes 401 bytes, and 600 of 1000 are in use by saves that are not "
        "done");
  CHECK(take(pool, 400).bytes().size() == 400);
}

TEST_CASE("staging_pool: who waits goes on when another is done") {
  const staging_pool pool(1000);
  std::optional<staging_pool::lease> used = take(pool, 600);
  std::atomic<bool> has{false};
  std::thread second([&, pool] {
    const staging_pool::lease lease = take(pool, 700, when_full::wait);
    has = true;
  });
  CHECK(!has);
  used.reset();
  second.join();
  CHECK(has);
}

TEST_CASE("staging_pool: whom there is room for goes on, though another who has waited for longer wants more") {
  for (int round = 0; round < 50; ++round) {
    const staging_pool pool(1000);
    std::optional<staging_pool::lease> one = take(pool, 500);
    std::optional<staging_pool::lease> other = take(pool, 500);
    std::atomic<int> waiting{0};
    const auto waits_for = [&](std::size_t size) {
      ++waiting;
      const staging_pool::lease lease = take(pool, size, when_full::wait);
    };
    std::thread large(waits_for, 900);
    while (waiting < 1) std::this_thread::yield();
    for (int i = 0; i < 20; ++i) std::this_thread::yield();
    std::thread small(waits_for, 400);
    while (waiting < 2) std::this_thread::yield();
    for (int i = 0; i < 20; ++i) std::this_thread::yield();
    one.reset();
    small.join();
    other.reset();
    large.join();
  }
}

TEST_CASE("staging_pool: a lease outlives the pool") {
  auto pool = std::make_unique<staging_pool>(1000);
  std::optional<staging_pool::lease> lease = take(*pool, 10);
  pool.reset();
  lease->bytes()[9] = std::byte{1};
  lease.reset();
  CHECK(!lease);
}

TEST_CASE("staging_pool: a lease that is put in place of another gives that one's memory back") {
  const staging_pool pool(1000);
  staging_pool::lease lease = take(pool, 600);
  lease = take(pool, 400);
  CHECK(lease.bytes().size() == 400);
  CHECK(pool.used() == 400);
  CHECK(pool.kept() == 600);
  lease = {};
  CHECK(pool.used() == 0);
  CHECK(pool.kept() == 1000);
}

TEST_CASE("staging_pool: nothing at all is a lease, too") {
  const staging_pool pool(0);
  CHECK(take(pool, 0).bytes().empty());
  CHECK(staging_pool::lease().bytes().empty());
}

TEST_CASE("staging_pool: that of the process is one") {
  const staging_pool::lease used = take(staging_pool::process(), 100);
  CHECK(staging_pool::process().used() >= 100);
}
