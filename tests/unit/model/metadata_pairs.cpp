#include <ckpt/model/metadata_pairs.hpp>

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

using namespace ckpt;

namespace {

std::string summary(const metadata_pairs& pairs) {
  std::string text;
  for (const auto& [key, value] : pairs) text.append(key).append("=").append(value).append(";");
  return text;
}

static_assert(!std::is_constructible_v<metadata_pairs, std::vector<int>>);
static_assert(!std::is_constructible_v<metadata_pairs, std::map<std::string, int>>);
static_assert(std::is_nothrow_move_constructible_v<metadata_pairs>);

}  // namespace

TEST_CASE("metadata_pairs: none") {
  const metadata_pairs none;
  CHECK(none.empty());
  CHECK(summary(none).empty());
  CHECK(summary({}).empty());
}

TEST_CASE("metadata_pairs: keep their order and own their texts") {
  metadata_pairs pairs;
  for (const char* const key : {"z", "a", "z"}) {
    std::string text = key + std::string(" with a text that is too long to lie in a string itself");
    pairs.add(key, text);
    text.assign(text.size(), 'x');
  }
  CHECK(pairs.size() == 3);
  CHECK(pairs[1].key == "a");
  CHECK(pairs[1].value == "a with a text that is too long to lie in a string itself");
  CHECK(pairs[2].key == "z");
}

TEST_CASE("metadata_pairs: of a list, a vector of pairs, a map, and what another file has") {
  CHECK(summary({{"a", "1"}}) == "a=1;");
  CHECK(summary({{"b", "1"}, {"a", std::string_view("\0", 1)}}) == std::string("b=1;a=\0;", 8));
  CHECK(summary(std::vector<std::pair<std::string, std::string>>{{"b", "1"}, {"a", "2"}}) == "b=1;a=2;");
  CHECK(summary(std::map<std::string, const char*>{{"b", "1"}, {"a", "2"}}) == "a=2;b=1;");
  const metadata_pair found[] = {{"k", "v"}, {"", ""}};
  CHECK(summary(sequence<metadata_pair>(found)) == "k=v;=;");
}

TEST_CASE("metadata_pairs: a copy stands on its own, and its source stays") {
  metadata_pairs copy{{"old", "pair"}};
  {
    const metadata_pairs source{{"k", "v"}};
    copy = source;
    CHECK(summary(source) == "k=v;");
  }
  copy.add("l", "w");
  CHECK(summary(copy) == "k=v;l=w;");
  const metadata_pairs moved = std::move(copy);
  CHECK(summary(moved) == "k=v;l=w;");
}
