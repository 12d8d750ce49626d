#include <ckpt/manager/any_of.hpp>
#include <ckpt/manager/every_n_steps.hpp>

#include <doctest/doctest.h>

#include "decided.hpp"

using namespace ckpt;

namespace {

struct first_of_all {
  [[nodiscard]] bool preserves(std::span<const checkpoint>, std::size_t at) const { return at == 0; }
};
struct the_seventh {
  [[nodiscard]] bool should_save(const training_step& now, const save_history&) const { return now.step == 7; }
};

using both = any_of<every_n_steps, any_of<every_n_steps>>;
static_assert(save_decision_policy<both> && preservation_policy<both>);
using decides = any_of<every_n_steps, specific_steps>;
static_assert(save_decision_policy<decides> && !preservation_policy<decides>);
using preserves = any_of<every_n_steps, latest_n>;
static_assert(!save_decision_policy<preserves> && preservation_policy<preserves>);

}  // namespace

TEST_CASE("any_of: saves when one of them would, however deep it lies") {
  CHECK(decided::steps(any_of{every_n_steps{4}, specific_steps{1, 4, 6}}, 9) == "1 4 6 8");
  CHECK(decided::steps(any_of{every_n_steps{4}, any_of{specific_steps{1}, the_seventh()}}, 9) == "1 4 7 8");
  CHECK(decided::steps(any_of{save_decision(specific_steps{2})}, 9) == "2");
}

TEST_CASE("any_of: keeps what one of them would") {
  const std::vector<step_metrics> six{{{"loss", 3}}, {{"loss", 1}}, {{"loss", 2}},
                                      {{"loss", 4}}, {{"loss", 5}}, {{"loss", 6}}};
  CHECK(decided::kept(any_of{latest_n{1}, best_n{1, "loss", best::smallest}}, six) == "2 6");
  CHECK(decided::kept(any_of{latest_n{1}, any_of{first_of_all(), every_n_steps{3}}}, six) == "1 3 6");
}
