#include <ckpt/task/parallel.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "../support.hpp"

using namespace ckpt;
using support::message_of;

TEST_CASE("run_parallel: every piece is taken once, whatever the number of workers") {
  for (const unsigned workers : {1U, 2U, 5U}) {
    std::vector<std::atomic<int>> taken(100);
    std::atomic<unsigned> highest{0};
    run_parallel(workers, [&](parallel_work& shared, unsigned number) {
      if (number > highest) highest = number;
      for (std::size_t next = shared.take(100); next < 100; next = shared.take(100)) {
        ++taken[next];
        shared.advance(2);
      }
      if (number == 0) CHECK(shared.done() <= 200);
    });
    for (const std::atomic<int>& times : taken) CHECK(times == 1);
    CHECK(highest < workers);
  }
}

TEST_CASE("run_parallel: worker 0 is the calling thread") {
  const std::thread::id caller = std::this_thread::get_id();
  std::atomic<int> checked{0};
  run_parallel(3, [&](parallel_work&, unsigned number) {
    if ((std::this_thread::get_id() == caller) == (number == 0)) ++checked;
  });
  CHECK(checked == 3);
}

TEST_CASE("run_parallel: the first exception stops the others, and is thrown") {
  for (const unsigned failing : {0U, 1U}) {
    std::atomic<bool> failed{false};
    std::atomic<bool> stopped{false};
    const std::string said = message_of<std::runtime_error>([&] {
      run_parallel(2, [&](parallel_work& shared, unsigned number) {
        if (number == failing) {
          failed = true;
          throw std::runtime_error("broken");
        }
        while (!shared.is_stopped()) std::this_thread::yield();
        stopped = shared.take(10) == 10;
      });
    });
    CHECK(said == "broken");
    CHECK(failed);
    CHECK(stopped);
  }
}
