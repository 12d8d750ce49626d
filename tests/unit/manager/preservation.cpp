#include <ckpt/manager/preservation.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "decided.hpp"

using namespace ckpt;
using decided::kept;

namespace {

/// A policy of a user's: whatever has a note.
struct noted {
  std::string note;
  [[nodiscard]] bool preserves(std::span<const checkpoint> all, std::size_t at) const {
    return all[at].metrics.contains(note);
  }
};

static_assert(preservation_policy<noted>);
static_assert(preservation_policy<latest_n>);
static_assert(preservation_policy<best_n>);
static_assert(preservation_policy<preservation>);
static_assert(!preservation_policy<int>);
static_assert(!std::is_convertible_v<int, preservation>);

std::vector<step_metrics> losses(const std::vector<double>& values) {
  std::vector<step_metrics> all;
  for (const double value : values) all.push_back({{"loss", value}});
  return all;
}

constexpr double no_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("preservation: by default everything") { CHECK(kept({}, losses({1, 2, 3})) == "1 2 3"); }

TEST_CASE("preservation: latest_n") {
  CHECK(kept(latest_n{2}, losses({1, 2, 3, 4})) == "3 4");
  CHECK(kept(latest_n{9}, losses({1, 2})) == "1 2");
  CHECK(kept(latest_n{0}, losses({1, 2})) == "");
  CHECK(kept(latest_n{2}, {}) == "");
}

TEST_CASE("preservation: best_n, and of equal ones the newest") {
  const auto values = losses({3, 1, 4, 1, 5});
  CHECK(kept(best_n{2, "loss", best::smallest}, values) == "2 4");
  CHECK(kept(best_n{1, "loss", best::smallest}, values) == "4");
  CHECK(kept(best_n{2, "loss", best::largest}, values) == "3 5");
  CHECK(kept(best_n{.n = 9, .metric = "loss"}, values) == "1 2 3 4 5");
  CHECK(kept(best_n{0, "loss"}, values) == "");
}

TEST_CASE("preservation: best_n takes a value that is not finite for the worst, whichever way") {
  const auto values = losses({no_number, 2, infinity, 1, -infinity});
  CHECK(kept(best_n{2, "loss", best::smallest}, values) == "2 4");
  CHECK(kept(best_n{2, "loss", best::largest}, values) == "2 4");
  CHECK(kept(best_n{3, "loss", best::largest}, values) == "2 4 5");
}

TEST_CASE("preservation: best_n keeps what has not the metric, unless told otherwise") {
  const std::vector<step_metrics> values{{{"loss", 1}}, {}, {{"loss", 3}}, {{"accuracy", 3}}};
  CHECK(kept(best_n{1, "loss", best::largest}, values) == "2 3 4");
  CHECK(kept(best_n{1, "loss", best::largest, without_metric::passed}, values) == "3");
}

TEST_CASE("preservation: holds any policy, copied") {
  const preservation own = noted{"a longer name than a string holds by itself"};
  const preservation copy = own;
  CHECK(kept(copy, {{}, {{"a longer name than a string holds by itself", 0}}, {}}) == "2");
}
