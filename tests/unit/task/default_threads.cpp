#include <ckpt/task/default_threads.hpp>

#include <doctest/doctest.h>

TEST_CASE("default_threads: at least one") { CHECK(ckpt::default_threads() >= 1); }
