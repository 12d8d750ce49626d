#include <ckpt/io/is_directory.hpp>

#include <doctest/doctest.h>

using namespace ckpt;

TEST_CASE("is_directory: directories, also behind links, and nothing else") {
  CHECK(is_directory("/"));
  CHECK(is_directory("."));
  CHECK(is_directory("/proc/self/cwd"));
  CHECK_FALSE(is_directory("/dev/null"));
  CHECK_FALSE(is_directory("/proc/no-such-folder"));
  CHECK_FALSE(is_directory(""));
}
