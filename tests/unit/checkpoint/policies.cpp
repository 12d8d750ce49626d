#include <ckpt/checkpoint/policies.hpp>

#include <doctest/doctest.h>

#include <type_traits>

#include <ckpt/format/safetensors.hpp>

using namespace ckpt;

namespace {

struct mine {
  static constexpr std::string_view name = "mine";
  static constexpr std::string_view suffix = "mine";
  static plan make_plan(const entries&, const format_options&) { return {}; }
  static file_index read_index(const source& from) { return {name, from.label(), from.size()}; }
};

}  // namespace

TEST_CASE("policy_set: the format that is named, MindSpore's where none is") {
  CHECK(std::is_same_v<policy_set<>::format, mindspore>);
  CHECK(std::is_same_v<policy_set<mindspore>::format, mindspore>);
  CHECK(std::is_same_v<policy_set<safetensors>::format, safetensors>);
  CHECK(std::is_same_v<policy_set<mine>::format, mine>);
}
