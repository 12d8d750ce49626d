#include <ckpt/model/metadata_pair.hpp>

#include <doctest/doctest.h>

using ckpt::metadata_pair;

TEST_CASE("metadata_pair: taken apart and compared") {
  const metadata_pair pair{"format", "ms"};
  const auto& [key, value] = pair;
  CHECK(key == "format");
  CHECK(value == "ms");
  CHECK(pair == metadata_pair{"format", "ms"});
  CHECK(pair != metadata_pair{"format", "pt"});
  CHECK(pair != metadata_pair{"note", "ms"});
}
