#include <ckpt/task/companion.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "../support.hpp"

using namespace ckpt;
using support::message_of;

namespace {

void wait_for(const std::atomic<bool>& what) {
  while (!what) std::this_thread::yield();
}

}  // namespace

TEST_CASE("companion: two things at once, one of them on the calling thread") {
  const std::thread::id caller = std::this_thread::get_id();
  companion second(2);
  for (int round = 0; round < 3; ++round) {
    std::atomic<bool> is_there{false};
    std::atomic<bool> is_here{false};
    std::thread::id there;
    std::thread::id here;
    second.run(
        [&] {
          is_there = true;
          wait_for(is_here);
          there = std::this_thread::get_id();
        },
        [&] {
          wait_for(is_there);
          is_here = true;
          here = std::this_thread::get_id();
        });
    CHECK(here == caller);
    CHECK(there != caller);
  }
}

TEST_CASE("companion: everything is done once by the end of run(), whoever does it") {
  for (const unsigned threads : {0U, 1U, 2U, 3U}) {
    companion second(threads);
    int there = 0;  // not atomic: run() orders both
    int here = 0;
    for (int round = 0; round < 2000; ++round) {
      second.run([&] { ++there; },
                 [&] {
                   ++here;
                   if (round % 3 == 0) std::this_thread::yield();
                 });
      if (there != round + 1 || here != round + 1) FAIL("a thing was left out, or done twice");
    }
  }
}

TEST_CASE("companion: one thread alone does one thing before the other") {
  companion none(1);
  const std::thread::id caller = std::this_thread::get_id();
  std::thread::id first;
  std::thread::id then;
  none.run([&] { first = std::this_thread::get_id(); },
           [&] {
             CHECK(first == caller);
             then = std::this_thread::get_id();
           });
  CHECK(then == caller);
}

TEST_CASE("companion: what fails here waits for what goes on there, and is thrown") {
  companion second(2);
  for (int round = 0; round < 100; ++round) {
    std::atomic<bool> is_begun{false};
    bool is_done = false;
    CHECK(message_of<std::runtime_error>([&] {
            second.run(
                [&] {
                  is_begun = true;
                  std::this_thread::yield();
                  is_done = true;
                },
                [&] {
                  wait_for(is_begun);
                  throw std::runtime_error("broken");
                });
          }) == "broken");
    CHECK(is_done);
  }
  for (int round = 0; round < 1000; ++round) {  // begun or not
    int there = 0;
    CHECK_THROWS_AS(second.run([&] { ++there; }, [] { throw std::runtime_error("broken"); }), std::runtime_error);
    CHECK(there <= 1);
  }
  int there = 0;
  second.run([&] { ++there; }, [] {});
  CHECK(there == 1);
}

TEST_CASE("companion: one that has nothing to do ends") {
  for (int round = 0; round < 100; ++round) companion(2);
}
