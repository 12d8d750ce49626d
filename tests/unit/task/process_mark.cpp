#include <ckpt/task/process_mark.hpp>

#include <doctest/doctest.h>

#include "../io/forked.hpp"

using namespace ckpt;

TEST_CASE("process_mark: of this process, and in a forked one of another until it is taken over") {
  process_mark mark;
  CHECK(mark.is_here());
  CHECK(!mark.take_over());
  CHECK(scratch::status_of_forked([&] {
          const bool is_others = !mark.is_here();
          const bool was_others = mark.take_over();
          return is_others && was_others && mark.is_here() && !mark.take_over() ? 0 : 1;
        }) == 0);
  CHECK(mark.is_here());
}
