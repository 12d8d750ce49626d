#include <ckpt/task/default_threads.hpp>

#include <doctest/doctest.h>

TEST_CASE("default_threads: at least one, and only where nobody says") {
  CHECK(ckpt::default_threads() >= 1);
  CHECK(ckpt::threads_or_default(0) == ckpt::default_threads());
  CHECK(ckpt::threads_or_default(7) == 7);
}
