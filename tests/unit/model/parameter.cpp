#include <ckpt/model/parameter.hpp>

#include <doctest/doctest.h>

#include <vector>

#include <ckpt/model/concepts.hpp>

using namespace ckpt;

TEST_CASE("parameter: a name and a tensor, as a list of them is written down") {
  const std::vector<parameter> list{{"weight", tensor({2}, {1.0F, 2.0F})},
                                    {.name = "bias", .data = tensor({1}, {3.0F})}};
  CHECK(list[0].name == "weight");
  CHECK(list[1].data.as<float>()[0] == 3.0F);
  CHECK(save_object<std::vector<parameter>>);
}
