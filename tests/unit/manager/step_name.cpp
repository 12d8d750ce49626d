#include <ckpt/manager/step_name.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

using namespace ckpt;

namespace {

/// `epoch step` of a name with the prefix "lenet".
std::string parsed(std::string_view name, std::string_view prefix = "lenet") {
  const auto found = parse_step_name(name, prefix, "ckpt");
  return found ? std::to_string(found->epoch) + " " + std::to_string(found->step) : "none";
}

}  // namespace

TEST_CASE("step_name: as MindSpore's") {
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  CHECK(step_name("lenet", {.epoch = 1, .step = 1875}, "ckpt") == "lenet-1_1875.ckpt");
  CHECK(step_name("a-1_2", {.epoch = 0, .step = most}, "safetensors") == "a-1_2-0_18446744073709551615.safetensors");
}

TEST_CASE("step_name: what was written is found") {
  CHECK(parsed("lenet-1_1875.ckpt") == "1 1875");
  CHECK(parsed("lenet-0_18446744073709551615.ckpt") == "0 18446744073709551615");
  CHECK(parsed("a-1_2-3_4.ckpt", "a-1_2") == "3 4");
  CHECK(parsed("d\xc3\xad-3_4.ckpt", "d\xc3\xad") == "3 4");
  CHECK(parsed("lenet_1-2_3.ckpt", "lenet_1") == "2 3");
}

TEST_CASE("step_name: what no step has is none") {
  for (const std::string_view name : {"",
                                      "lenet",
                                      "lenet-",
                                      "lenet-1",
                                      "lenet-1_",
                                      "lenet-1_2",
                                      "lenet-1_2.",
                                      "lenet-1_2.safetensors",
                                      "lenet-1_2.ckpt.tmp",
                                      "lenet-01_2.ckpt",
                                      "lenet-1_02.ckpt",
                                      "lenet--1_2.ckpt",
                                      "lenet-+1_2.ckpt",
                                      "lenet-1-2.ckpt",
                                      "lenet_1_2.ckpt",
                                      "lenet- 1_2.ckpt",
                                      "lenet-1_18446744073709551616.ckpt",
                                      "lenet-a_b.ckpt",
                                      "lenet_1-2_3.ckpt",
                                      "lenet-1_2-3_4.ckpt",
                                      "lenet5-1_2.ckpt",
                                      ".lenet-1_2.ckpt",
                                      "xlenet-1_2.ckpt",
                                      "lenet-1_2_breakpoint.ckpt",
                                      "lenet-metrics.json"}) {
    CAPTURE(name);
    CHECK(parsed(name) == "none");
  }
}
