#include <ckpt/manager/training_step.hpp>

#include <doctest/doctest.h>

using namespace ckpt;

TEST_CASE("training_step: the epoch counts before the step") {
  CHECK(is_earlier({.epoch = 1, .step = 900}, {.epoch = 2, .step = 1}));
  CHECK(is_earlier({.epoch = 1, .step = 9}, {.epoch = 1, .step = 10}));
  CHECK(!is_earlier({.epoch = 1, .step = 10}, {.epoch = 1, .step = 10}));
  CHECK(!is_earlier({.epoch = 2, .step = 1}, {.epoch = 1, .step = 900}));
}
