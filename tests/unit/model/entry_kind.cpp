#include <ckpt/model/entry_kind.hpp>

#include <doctest/doctest.h>

using namespace ckpt;

TEST_CASE("entry_kind: the word for each, as errors and listings say it") {
  CHECK(name(entry_kind::tensor) == "tensor");
  CHECK(name(entry_kind::string) == "string");
  CHECK(name(entry_kind::map) == "map");
}
