#include <ckpt/task/background_queue.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <semaphore>
#include <thread>
#include <vector>

#include <unistd.h>

#include "../io/forked.hpp"

using namespace ckpt;

namespace {

struct call final : background_task {
  explicit call(std::function<void()> what) : work(std::move(what)) {}
  void run() noexcept override { work(); }
  std::function<void()> work;
};

/// Where a task says that it has begun, and waits.
struct gate {
  void pass() {
    begun.release();
    go_on.acquire();
  }
  std::binary_semaphore begun{0};
  std::binary_semaphore go_on{0};
};

void add(background_queue& queue, std::function<void()> work) { queue.add(std::make_shared<call>(std::move(work))); }

}  // namespace

TEST_CASE("background_queue: one after the other, in order, on another thread; the destructor waits for all") {
  std::vector<int> order;  // no lock: there is one thread at a time
  bool other = true;
  {
    background_queue queue;
    for (int i = 0; i < 100; ++i)
      add(queue, [&, i, here = std::this_thread::get_id()] {
        order.push_back(i);
        other = other && std::this_thread::get_id() != here && background_queue::is_calling();
      });
  }
  CHECK(other);
  CHECK(!background_queue::is_calling());
  REQUIRE(order.size() == 100);
  for (int i = 0; i < 100; ++i) CHECK(order[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("background_queue: takes tasks again after it had none") {
  std::binary_semaphore done(0);
  background_queue queue;
  for (int i = 0; i < 50; ++i) {
    add(queue, [&] { done.release(); });
    done.acquire();
  }
  CHECK(!done.try_acquire());
}

TEST_CASE("background_queue: a task may add another") {
  std::atomic<int> done{0};
  {
    std::binary_semaphore second_added(0);
    background_queue queue;
    add(queue, [&] {
      add(queue, [&] { ++done; });
      ++done;
      second_added.release();
    });
    second_added.acquire();
  }
  CHECK(done == 2);
}

TEST_CASE("background_queue: tasks are destroyed when they are done") {
  const auto token = std::make_shared<int>(1);
  {
    background_queue queue;
    add(queue, [token] {});
  }
  CHECK(token.use_count() == 1);
}

TEST_CASE("background_queue: waits for room, or says that there is none") {
  gate held;
  background_queue queue;
  add(queue, [&] { held.pass(); });
  held.begun.acquire();
  CHECK(queue.wait_for_room(1, false));
  add(queue, [] {});
  CHECK(!queue.wait_for_room(1, false));
  CHECK(queue.wait_for_room(2, false));
  std::thread waiting([&] { CHECK(queue.wait_for_room(1, true)); });
  held.go_on.release();
  waiting.join();
}

TEST_CASE("background_queue: a task may end its queue, or another, whose tasks are done all the same") {
  for (const bool is_own : {true, false}) {
    gate held;
    std::vector<int> order;
    std::binary_semaphore rest(0);
    std::binary_semaphore done(0);
    background_queue first;
    auto second = std::make_unique<background_queue>();
    add(is_own ? *second : first, [&] {
      held.pass();
      second.reset();
      order.push_back(1);
      rest.release();
    });
    held.begun.acquire();
    add(*second, [&] {
      rest.acquire();
      order.push_back(2);
      done.release();
    });
    held.go_on.release();
    done.acquire();
    CHECK(order == std::vector<int>{1, 2});
  }
}

TEST_CASE("background_queue: a forked process has a thread and tasks of its own") {
  gate held;
  background_queue queue;
  add(queue, [&] { held.pass(); });
  add(queue, [] {});
  held.begun.acquire();
  CHECK(scratch::status_of_forked([&] {
          std::binary_semaphore done(0);
          if (!queue.wait_for_room(1, true)) return 1;
          add(queue, [&] { done.release(); });
          done.acquire();
          return 0;
        }) == 0);
  held.go_on.release();
}

TEST_CASE("background_queue: a forked process neither waits for the tasks of its parent nor destroys them") {
  gate held;
  background_queue queue;
  add(queue, [&] { held.pass(); });
  struct noticing {
    ~noticing() {
      if (::getpid() != owner) ::_exit(1);
    }
    pid_t owner = ::getpid();
  };
  add(queue, [kept = std::make_shared<noticing>()] {});
  held.begun.acquire();
  CHECK(scratch::status_of_forked([&] {
          queue.~background_queue();
          return 0;
        }) == 0);
  held.go_on.release();
}
