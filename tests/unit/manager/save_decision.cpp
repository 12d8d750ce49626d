#include <ckpt/manager/save_decision.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "decided.hpp"

using namespace ckpt;

namespace {

/// A policy of a user's: the first step of each epoch.
struct each_epoch {
  [[nodiscard]] bool should_save(const training_step& now, const save_history& history) const {
    return !history.last || history.last->epoch != now.epoch;
  }
};

static_assert(save_decision_policy<each_epoch>);
static_assert(save_decision_policy<specific_steps>);
static_assert(save_decision_policy<every_n_seconds>);
static_assert(save_decision_policy<save_decision>);
static_assert(!save_decision_policy<int>);
static_assert(!std::is_convertible_v<int, save_decision>);

}  // namespace

TEST_CASE("save_decision: by default every step") { CHECK(decided::steps(save_decision(), 3) == "1 2 3"); }

TEST_CASE("save_decision: specific_steps") {
  CHECK(decided::steps(specific_steps{2, 5, 900}, 9) == "2 5");
  CHECK(decided::steps(specific_steps(std::vector<std::uint64_t>{3}), 9) == "3");
  CHECK(decided::steps(specific_steps{}, 9) == "");
}

TEST_CASE("save_decision: every_n_seconds") {
  const every_n_seconds policy{1.5};
  CHECK(!policy.should_save({}, {.seconds = 0}));
  CHECK(!policy.should_save({}, {.seconds = 1.4}));
  CHECK(policy.should_save({}, {.seconds = 1.5}));
}

TEST_CASE("save_decision: holds any policy, copied") {
  const save_decision own = each_epoch();
  const save_decision copy = own;
  CHECK(copy.should_save({.epoch = 1, .step = 1}, {}));
  CHECK(!copy.should_save({.epoch = 1, .step = 2}, {.last = training_step{.epoch = 1, .step = 1}}));
  CHECK(copy.should_save({.epoch = 2, .step = 1}, {.last = training_step{.epoch = 1, .step = 1}}));
}
