#include <ckpt/task/signals_left_to_others.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <csignal>

#include <ckpt/task/companion.hpp>
#include <ckpt/task/parallel.hpp>

using namespace ckpt;

namespace {

bool is_blocked(int number) {
  sigset_t now;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &now);
  return ::sigismember(&now, number) == 1;
}

}  // namespace

TEST_CASE("signals_left_to_others: blocked meanwhile, but for those of a fault of the thread itself") {
  {
    const signals_left_to_others meanwhile;
    CHECK(is_blocked(SIGINT));
    CHECK(is_blocked(SIGUSR1));
    CHECK(!is_blocked(SIGSEGV));
  }
  CHECK(!is_blocked(SIGINT));
}

TEST_CASE("signals_left_to_others: the library's threads get none, the caller's do") {
  std::atomic<bool> there{false};
  std::atomic<bool> is_begun{false};
  companion second(2);
  second.run(
      [&] {
        there = is_blocked(SIGINT);
        is_begun = true;
      },
      [&] {
        while (!is_begun) {
        }
        CHECK(!is_blocked(SIGINT));
      });
  CHECK(there);

  std::atomic<unsigned> begun{0};
  std::atomic<unsigned> blocked{0};
  run_parallel(3, [&](parallel_work&, unsigned worker) {
    ++begun;
    while (begun < 3) {
    }
    if (worker > 0 && is_blocked(SIGINT)) ++blocked;
    if (worker == 0) CHECK(!is_blocked(SIGINT));
  });
  CHECK(blocked == 2);
}
