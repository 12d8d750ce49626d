#include <ckpt/core/keeper.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

using namespace ckpt;

namespace {

struct noted {
  std::string* to;
  char name;
  noted(std::string& log, char c) : to(&log), name(c) {}
  noted(const noted&) = delete;
  noted(noted&& other) noexcept : to(std::exchange(other.to, nullptr)), name(other.name) {}
  noted& operator=(noted&&) = delete;
  ~noted() {
    if (to != nullptr) *to += name;
  }
};

struct unmovable {
  explicit unmovable(int n) : number(n) {}
  unmovable(unmovable&&) = delete;
  int number;
};

}  // namespace

TEST_CASE("keeper: what it keeps stays where it is, and goes with it, the last first") {
  std::string gone;
  {
    keeper all;
    noted& a = all.hold(noted(gone, 'a'));
    const noted* const where = &a;
    all.hold(noted(gone, 'b'));
    CHECK(*all.hold(std::make_unique<int>(7)) == 7);
    CHECK(all.hold_result([] { return unmovable(3); }).number == 3);
    const keeper moved = std::move(all);
    CHECK(where->to == &gone);
    CHECK(gone.empty());
  }
  CHECK(gone == "ba");
}
