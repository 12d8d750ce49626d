#include <ckpt/task/memory_lease.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "../io/forked.hpp"

using namespace ckpt;

TEST_CASE("memory_lease: what is leased is given back") {
  CHECK(memory_lease::leased() == 0);
  {
    const memory_lease one(100);
    const memory_lease other(50);
    CHECK(memory_lease::leased() == 150);
  }
  CHECK(memory_lease::leased() == 0);
}

TEST_CASE("memory_lease: what the parent of a forked process has is not waited for there") {
  auto all = std::make_unique<memory_lease>(memory_lease::limit);
  CHECK(scratch::status_of_forked([&] {
          const memory_lease own(100);
          all.reset();
          return memory_lease::leased() == 100 ? 0 : 1;
        }) == 0);
}

TEST_CASE("memory_lease: more than all of it is all of it") {
  const memory_lease all(memory_lease::limit * 3);
  CHECK(memory_lease::leased() == memory_lease::limit);
}

TEST_CASE("memory_lease: many threads never have more than the limit, and all get their turn") {
  std::atomic<std::uint64_t> most{0};
  std::atomic<int> served{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      for (int turn = 0; turn < 50; ++turn) {
        const memory_lease lease(memory_lease::limit / 3);
        std::uint64_t seen = most;
        const std::uint64_t now = memory_lease::leased();
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
        ++served;
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(served == 400);
  CHECK(most <= memory_lease::limit);
  CHECK(memory_lease::leased() == 0);
}

TEST_CASE("memory_lease: waits while another has too much") {
  std::atomic<bool> has{false};
  std::thread second;
  {
    const memory_lease first(memory_lease::limit);
    second = std::thread([&] {
      const memory_lease lease(1);
      has = true;
    });
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    CHECK(!has);
  }
  second.join();
  CHECK(has);
}
