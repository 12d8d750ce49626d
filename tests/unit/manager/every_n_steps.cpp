#include <ckpt/manager/every_n_steps.hpp>

#include <doctest/doctest.h>

#include "../support.hpp"
#include "decided.hpp"

using namespace ckpt;

static_assert(save_decision_policy<every_n_steps>);
static_assert(preservation_policy<every_n_steps>);

TEST_CASE("every_n_steps: saves at multiples") {
  CHECK(decided::steps(every_n_steps{3}, 10) == "3 6 9");
  CHECK(decided::steps(every_n_steps{1}, 3) == "1 2 3");
}

TEST_CASE("every_n_steps: keeps multiples") { CHECK(decided::kept(every_n_steps{2}, {{}, {}, {}, {}}) == "2 4"); }

TEST_CASE("every_n_steps: not of 0") {
  CHECK(support::message_of<usage_error>([] { every_n_steps{0}; }) == "every_n_steps of 0: say 1 for every step");
}
