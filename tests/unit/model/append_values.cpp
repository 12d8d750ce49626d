#include <ckpt/model/append_values.hpp>

#include <doctest/doctest.h>

#include <array>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "summary.hpp"

using namespace ckpt;

namespace {

std::string summary(const append_values& values) {
  entries all = support::no_entries();
  values.add_to(all);
  return support::summary(all);
}

/// `int64[] 0300000000000000`, of a value appended under the name "v".
template <class T>
std::string appended(T&& value) {
  append_values values;
  values.add("v", std::forward<T>(value));
  return summary(values).substr(2);
}

enum color { red };

}  // namespace

TEST_CASE("append_values: an integer becomes a 0-d int64") {
  CHECK(appended(3) == "int64[] 0300000000000000");
  CHECK(appended(-1) == "int64[] ffffffffffffffff");
  CHECK(appended(short{-2}) == "int64[] feffffffffffffff");
  CHECK(appended(std::uint8_t{255}) == "int64[] ff00000000000000");
  CHECK(appended(std::int8_t{-128}) == "int64[] 80ffffffffffffff");
  CHECK(appended(std::numeric_limits<std::int64_t>::min()) == "int64[] 0000000000000080");
  CHECK(appended(std::size_t{1} << 62) == "int64[] 0000000000000040");
}

TEST_CASE("append_values: an integer from 2^63 on becomes a 0-d uint64") {
  CHECK(appended((std::uint64_t{1} << 63) - 1) == "int64[] ffffffffffffff7f");
  CHECK(appended(std::uint64_t{1} << 63) == "uint64[] 0000000000000080");
  CHECK(appended(~std::uint64_t{0}) == "uint64[] ffffffffffffffff");
}

TEST_CASE("append_values: every float becomes a 0-d float32") {
  CHECK(appended(0.1F) == "float32[] cdcccc3d");
  CHECK(appended(0.1) == "float32[] cdcccc3d");
  CHECK(appended(1.0L) == "float32[] 0000803f");
  CHECK(appended(1e300) == "float32[] 0000807f");
}

TEST_CASE("append_values: a bool becomes a 0-d bool, and nothing else does") {
  CHECK(appended(true) == "bool[] 01");
  CHECK(appended(false) == "bool[] 00");
  CHECK(!std::is_constructible_v<append_value, std::string, char>);
  CHECK(!std::is_constructible_v<append_value, std::string, color>);
  CHECK(!std::is_constructible_v<append_value, std::string, const float*>);
  CHECK(!std::is_constructible_v<append_value, std::string, float16>);
  CHECK(!std::is_constructible_v<append_value, std::string, std::nullptr_t>);
  CHECK(!std::is_constructible_v<append_value, std::string, std::optional<int>>);
}

TEST_CASE("append_values: text, copied") {
  CHECK(appended("d\xc3\xad"
                 "a") ==
        "\"d\xc3\xad"
        "a\"");
  CHECK(appended("") == "\"\"");
  append_values values;
  {
    std::string text = "a text of its own, too long to lie in the string itself";
    values.add("a", text);
    values.add("b", std::string_view(text).substr(0, 6));
    text.assign(text.size(), 'x');
  }
  CHECK(summary(values) == "a \"a text of its own, too long to lie in the string itself\"; b \"a text\"");
}

TEST_CASE("append_values: tensors given as lvalues are borrowed") {
  const tensor t({2}, {std::uint8_t{1}, std::uint8_t{2}});
  std::vector<std::uint8_t> list{3};
  const append_values values{{"t", t}, {"list", list}};
  list[0] = 4;
  CHECK(summary(values) == "t uint8[2] 0102; list uint8[1] 04");
  entries all = support::no_entries();
  values.add_to(all);
  CHECK(all.begin()->whole.bytes().data() == t.bytes().data());
}

TEST_CASE("append_values: tensors given as temporaries are copied") {
  append_values values{{"t", tensor({1}, {std::uint8_t{1}})}, {"list", std::vector<std::uint8_t>{2, 3}}};
  values.add("more", std::array<std::uint8_t, 1>{4});
  CHECK(summary(values) == "t uint8[1] 01; list uint8[2] 0203; more uint8[1] 04");
}

TEST_CASE("append_values: a tensor that is given away is kept where it is, by every copy of the list") {
  tensor t({2}, {std::uint8_t{1}, std::uint8_t{2}});
  const std::byte* const place = t.bytes().data();
  const append_values values{{"t", std::move(t)}};
  const append_values copy = values;  // NOLINT(performance-unnecessary-copy-initialization): the copy is what is tested
  entries all = support::no_entries();
  copy.add_to(all);
  CHECK(all.begin()->whole.bytes().data() == place);
}

TEST_CASE("append_values: a temporary view is copied out, strided or not") {
  append_values values;
  {
    const std::vector<std::uint8_t> gone{1, 2, 3, 4};
    values.add("every other", tensor_view::strided(dtype::uint8, {2}, gone.data(), {2}));
    values.add("all", tensor_view(std::span<const std::uint8_t>(gone), {2, 2}));
  }
  CHECK(summary(values) == "every other uint8[2] 0103; all uint8[2,2] 01020304");
}

TEST_CASE("append_values: a view given as lvalue is a view still") {
  const std::vector<std::uint8_t> m{1, 2, 3, 4};
  const tensor_view view = tensor_view::strided(dtype::uint8, {2}, m.data(), {2});
  const append_values values{{"view", view}};
  CHECK(summary(values) == "view uint8[2] 0103");
}

TEST_CASE("append_values: empty tensors and names") {
  CHECK(summary({{"", tensor(dtype::float32, {0, 2})}, {"e", std::vector<float>{}}}) ==
        " float32[0,2] ; e float32[0] ");
}

TEST_CASE("append_values: a copy stands on its own") {
  append_values copy;
  {
    append_values values{{"t", tensor({1}, {std::uint8_t{1}})}, {"note", "text"}, {"n", 3}};
    copy = values;
  }
  CHECK(summary(copy) == "t uint8[1] 01; note \"text\"; n int64[] 0300000000000000");
}

TEST_CASE("append_values: in the order in which they are given, after what is there") {
  entries all = support::no_entries(duplicates::keep_last);
  const tensor t({1}, {std::uint8_t{1}});
  all.add_tensor("a", t);
  all.add_tensor("b", t);
  const append_values values{{"z", "1"}, {"a", "2"}, {"y", "3"}};
  values.add_to(all);
  CHECK(support::summary(all) == "a \"2\"; b uint8[1] 01; z \"1\"; y \"3\"");
}

TEST_CASE("append_values refuses: a name that is there already") {
  entries all = support::no_entries();
  const append_values values{{"epoch", 3}, {"epoch", 4}};
  CHECK(support::message_of<usage_error>([&] { values.add_to(all); }) ==
        "f: tensor \"epoch\": the name is given twice; rename one, or save with .duplicates = "
        "ckpt::duplicates::keep_last");
}

TEST_CASE("append_values: those of another come after the others") {
  append_values values{{"a", 1}};
  values.add(append_values{{"b", true}, {"c", 2}});
  CHECK(summary(values) == summary({{"a", 1}, {"b", true}, {"c", 2}}));
  CHECK(values.size() == 3);
  values.add(values);
  CHECK(values.size() == 6);
}
