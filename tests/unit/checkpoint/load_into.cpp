#include <ckpt/checkpoint/load_into.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <ckpt/checkpoint/save.hpp>
#include <ckpt/format/safetensors.hpp>
#include <ckpt/model/parameter.hpp>

#include "../format/ckpt_file.hpp"
#include "../io/scratch.hpp"

using namespace ckpt;
using scratch::message_of;

namespace {

const save_options quick{.durability = durability::none};
const load_options some{.allow_missing = true};

struct linear {
  tensor weight{dtype::float32, {2, 3}};
  std::vector<float> bias = std::vector<float>(2);

  void visit_parameters(auto&& visitor) {
    visitor("weight", weight);
    visitor("bias", bias);
  }
};

/// A member of each kind.
struct network {
  linear first;
  std::vector<linear> layers = std::vector<linear>(2);
  std::unique_ptr<linear> last = std::make_unique<linear>();
  std::unique_ptr<linear> absent;
  std::int16_t grid[2][2] = {};
  std::array<bool, 3> mask{};
  std::string note;
  std::variant<tensor, std::string> either = std::string();
  parameter named{"ignored", tensor(dtype::uint8, {4})};
  std::vector<std::int64_t> empty;

  void visit_parameters(auto&& visitor) {
    visitor("first", first);
    visitor("layers", layers);
    visitor("last", last);
    visitor("absent", absent);
    visitor("grid", grid);
    visitor("mask", mask);
    visitor("note", note);
    visitor("either", either);
    visitor("named", named);
    visitor("empty", empty);
  }

  void number() {
    float next = 1;
    for (linear* each : {&first, layers.data(), layers.data() + 1, last.get()}) {
      for (float& element : each->weight.as<float>()) element = next++;
      for (float& element : each->bias) element = next++;
    }
    grid[0][1] = 5;
    grid[1][0] = -6;
    mask = {true, false, true};
    note = "d\u00eda";
    either = "text";
    named.data.as<std::uint8_t>()[3] = 200;
  }
};

using object = std::map<std::string, tensor>;

/// Column by column, as linear algebra libraries have them.
struct matrix {
  std::int64_t rows;
  std::int64_t columns;
  std::vector<double> values = std::vector<double>(static_cast<std::size_t>(rows * columns));
};

/// What a call says after the name of the file.
template <class Error, class Call>
std::string says(const std::string& path, Call call) {
  const std::string text = message_of<Error>(call);
  return text.starts_with(path) ? text.substr(path.size()) : text;
}

}  // namespace

template <>
struct ckpt::tensor_traits<matrix> {
  static tensor_view view(const matrix& m) {
    return tensor_view::strided(dtype::float64, {m.rows, m.columns}, m.values.data(), {1, m.rows});
  }
  static void* writable(matrix& m) { return m.values.data(); }
};

TEST_CASE_TEMPLATE("load_into: a network that was saved is filled again, whatever its members are", Format, mindspore,
                   safetensors) {
  const scratch::directory here;
  network from;
  from.number();
  if constexpr (std::is_same_v<Format, safetensors>) {  // which has no strings
    from.either = tensor(dtype::int8, {1});
  }
  const auto choose = [](std::string_view name) { return std::is_same_v<Format, mindspore> || name != "note"; };
  const std::string path = save<Format>(from, here / "net", {.choose = choose, .durability = durability::none}).path;
  const std::string expected = scratch::text(save_bytes<Format>(from, {.choose = choose}));

  network to;
  to.either = from.either;
  const load_report report = load_into(path, to, {.choose = choose});
  CHECK(report.filled == (std::is_same_v<Format, mindspore> ? 14 : 13));
  CHECK(report.missing.empty());
  CHECK(report.unexpected.empty());
  CHECK(scratch::text(save_bytes<Format>(to, {.choose = choose})) == expected);
  CHECK(to.absent == nullptr);

  network again;
  again.either = from.either;
  const state_dict loaded = load(path);
  CHECK(load_into(loaded, again, {.choose = choose}).filled == report.filled);
  CHECK(scratch::text(save_bytes<Format>(again, {.choose = choose})) == expected);

  network third;
  third.either = from.either;
  const std::string bytes = scratch::get(path);
  CHECK(load_into(scratch::bytes(bytes), third, {.choose = choose}).filled == report.filled);
  CHECK(scratch::text(save_bytes<Format>(third, {.choose = choose})) == expected);
}

TEST_CASE("load_into: maps, lists of parameters, lists of pointers and of spans") {
  const scratch::directory here;
  save(object{{"a", tensor({2}, {1.0F, 2.0F})}, {"b", tensor({1}, {3.0F})}}, here / "m", quick);
  const std::string path = here / "m.ckpt";

  object map{{"a", tensor(dtype::float32, {2})}, {"b", tensor(dtype::float32, {1})}};
  load_into(path, map);
  CHECK(map.at("a").as<float>()[1] == 2);
  CHECK(map.at("b").as<float>()[0] == 3);

  std::deque<parameter> list{{"b", tensor(dtype::float32, {1})}, {"a", tensor(dtype::float32, {2})}};
  load_into(path, list);
  CHECK(list[0].data.as<float>()[0] == 3);
  CHECK(list[1].data.as<float>()[0] == 1);

  const auto shared = std::make_shared<parameter>("a", tensor(dtype::float32, {2}));
  const std::vector<std::shared_ptr<parameter>> pointers{shared};
  CHECK(load_into(path, pointers).unexpected == std::vector<std::string>{"b"});
  CHECK(shared->data.as<float>()[1] == 2);

  std::array<float, 2> a{};
  float b = 0;
  struct listing {
    std::span<float> a;
    float* b;
    [[nodiscard]] std::vector<std::pair<std::string, std::span<float>>> parameters_and_names() const {
      return {{"a", a}, {"b", {b, 1}}};
    }
  };
  load_into(path, listing{a, &b});
  CHECK(a == std::array<float, 2>{1, 2});
  CHECK(b == 3);
}

TEST_CASE("load_into: a plain list takes a tensor of any shape, what has a shape only its own") {
  const scratch::directory here;
  save(object{{"w", tensor({2, 3}, {1, 2, 3, 4, 5, 6})}}, here / "m", quick);
  const std::string path = here / "m.ckpt";
  std::map<std::string, std::vector<int>> list{{"w", std::vector<int>(6)}};
  load_into(path, list);
  CHECK(list.at("w") == std::vector<int>{1, 2, 3, 4, 5, 6});
  list.at("w").resize(5);
  CHECK(says<mismatch_error>(path, [&] { load_into(path, list); }) ==
        ": tensor \"w\": that of the file has the shape [2,3], that of the network has the shape [5]");
  object turned{{"w", tensor(dtype::int32, {3, 2})}};
  CHECK(says<mismatch_error>(path, [&] { load_into(path, turned); }) ==
        ": tensor \"w\": that of the file has the shape [2,3], that of the network has the shape [3,2]");
  object deeper{{"w", tensor(dtype::int32, {2, 3, 1})}};
  CHECK(says<mismatch_error>(path, [&] { load_into(path, deeper); }) ==
        ": tensor \"w\": that of the file has the shape [2,3], that of the network has the shape [2,3,1]");

  struct shaped {
    std::string name;
    std::vector<std::int64_t> shape;
    std::vector<int> data;
  };
  std::vector<shaped> beside{{"w", {2, 3}, std::vector<int>(6)}};
  load_into(path, beside);
  CHECK(beside[0].data[5] == 6);
  beside[0].shape = {6};
  CHECK(says<mismatch_error>(path, [&] { load_into(path, beside); }) ==
        ": tensor \"w\": that of the file has the shape [2,3], that of the network has the shape [6]");
  beside[0] = {"w", {2, 3}, std::vector<int>(5)};
  CHECK(says<usage_error>(path, [&] { load_into(path, beside); }) ==
        ": tensor \"w\": its shape is [2,3], its data [5] of int32");
  struct both {
    std::string name;
    std::vector<std::int64_t> shape;
    tensor data;
  };
  std::vector<both> contrary{{"w", {7}, tensor(dtype::int32, {2, 3})}};
  CHECK(says<usage_error>(path, [&] { load_into(path, contrary); }) ==
        ": tensor \"w\": its shape is [7], its data [2,3] of int32");
}

TEST_CASE("load_into: narrower floats are widened, and nothing else is converted") {
  const scratch::directory here;
  std::vector<float16> half;
  std::vector<double> expected;
  for (std::uint32_t bits = 0; bits < 0x7c00; ++bits) {  // all that are finite and not negative
    half.push_back(float16::from_bits(static_cast<std::uint16_t>(bits)));
    expected.push_back(half.back());
  }
  save(
      std::map<std::string, std::variant<std::vector<float16>, std::vector<bfloat16>, std::vector<float>>>{
          {"half", half},
          {"brain", std::vector{bfloat16(1.5F), bfloat16(-3.0F)}},
          {"single", std::vector{0.1F, 0.2F, 0.3F}}},
      here / "m", quick);
  const std::string path = here / "m.ckpt";
  std::map<std::string, std::vector<double>> doubles{
      {"half", std::vector<double>(half.size())}, {"brain", {0, 0}}, {"single", {0, 0, 0}}};
  load_into(path, doubles);
  CHECK(doubles.at("half") == expected);
  CHECK(doubles.at("brain") == std::vector<double>{1.5, -3});
  CHECK(doubles.at("single") == std::vector<double>{double{0.1F}, double{0.2F}, double{0.3F}});

  object floats{{"half", tensor(dtype::float32, {static_cast<std::int64_t>(half.size())})}};
  load_into(load(path), floats);
  const std::span<const float> widened = floats.at("half").as<float>();
  CHECK(std::vector<double>(widened.begin(), widened.end()) == expected);

  const auto refusal = [&](dtype type, std::string_view name, std::int64_t size) {
    object one{{std::string(name), tensor(type, {size})}};
    return says<mismatch_error>(path, [&] { load_into(path, one); });
  };
  CHECK(refusal(dtype::float16, "single", 3) ==
        ": tensor \"single\": that of the file holds float32, that of the network holds float16");
  CHECK(refusal(dtype::float16, "brain", 2) ==
        ": tensor \"brain\": that of the file holds bfloat16, that of the network holds float16");
  CHECK(refusal(dtype::int32, "single", 3) ==
        ": tensor \"single\": that of the file holds float32, that of the network holds int32");
  CHECK(refusal(dtype::float64, "brain", 3) ==
        ": tensor \"brain\": that of the file has the shape [2], that of the network has the shape [3]");
}

TEST_CASE("load_into: a tensor of another type, whose elements do not lie in their order") {
  const scratch::directory here;
  save(object{{"double", tensor({2, 3}, {1.0, 2.0, 3.0, 4.0, 5.0, 6.0})},
              {"single", tensor({2, 3}, {1.0F, 2.0F, 3.0F, 4.0F, 5.0F, 6.0F})},
              {"none", tensor(dtype::float64, {0, 3})}},
       here / "m", quick);
  std::map<std::string, matrix> net{{"double", {2, 3}}, {"single", {2, 3}}, {"none", {0, 3}}};
  CHECK(load_into(here / "m.ckpt", net).filled == 3);
  CHECK(net.at("double").values == std::vector<double>{1, 4, 2, 5, 3, 6});
  CHECK(net.at("single").values == std::vector<double>{1, 4, 2, 5, 3, 6});
  std::map<std::string, matrix> turned{{"double", {3, 2}}};
  CHECK(says<mismatch_error>(here / "m.ckpt", [&] { load_into(here / "m.ckpt", turned); }) ==
        ": tensor \"double\": that of the file has the shape [2,3], that of the network has the shape [3,2]");
}

TEST_CASE("load_into: what the file lacks is refused by name, or left as it is") {
  const scratch::directory here;
  save(object{{"net.w", tensor({1}, {1.0F})}, {"b", tensor({1}, {2.0F})}}, here / "m", quick);
  const std::string path = here / "m.ckpt";
  const std::string rest = "; with .allow_missing = true such parameters are left as they are";
  object all{{"b", tensor(dtype::float32, {1})}};
  const auto refusal = [&] { return says<mismatch_error>(path, [&] { load_into(path, all); }); };
  all.emplace("w", tensor({1}, {7.0F}));
  CHECK(refusal() == ": parameter \"w\": the file has none of that name; it has \"net.w\"" + rest);
  CHECK(all.at("b").as<float>()[0] == 0);  // nothing is written before all fits
  CHECK(scratch::error_of<mismatch_error>([&] { load_into(path, all); }).code() == errc::missing);
  const load_report report = load_into(path, all, some);
  CHECK(report.filled == 1);
  CHECK(report.missing == std::vector<std::string>{"w"});
  CHECK(report.unexpected == std::vector<std::string>{"net.w"});
  CHECK(all.at("b").as<float>()[0] == 2);
  CHECK(all.at("w").as<float>()[0] == 7);

  all.clear();
  const std::string nothing = "; it has nothing of what is to be filled";
  all.emplace("model.net.w", tensor(dtype::float32, {1}));
  all.emplace("x", tensor(dtype::float32, {1}));
  CHECK(refusal() ==
        ": parameter \"model.net.w\": the file has none of that name, nor of x; it has \"net.w\"" + nothing);
  all.clear();
  for (const char* name : {"p", "q", "r", "s"}) all.emplace(name, tensor(dtype::float32, {1}));
  CHECK(refusal() == ": parameter \"p\": the file has none of that name, nor of q, r, s" + nothing);
  all.emplace("t", tensor(dtype::float32, {1}));
  all.emplace("u", tensor(dtype::float32, {1}));
  CHECK(refusal() == ": parameter \"p\": the file has none of that name, nor of q, r, s and 2 more" + nothing);
  CHECK(says<mismatch_error>(path, [&] { load_into(path, all, some); }) ==
        ": parameter \"p\": the file has none of that name, nor of q, r, s and 2 more" + nothing);
  object none;
  CHECK(load_into(path, none).filled == 0);  // a network without parameters
}

TEST_CASE("load_into: the name that is likely meant is the longer one, where there is one") {
  const scratch::directory here;
  save(object{{"bias", tensor({1}, {1.0F})}, {"c.bias", tensor({1}, {1.0F})}, {"module.fc.bias", tensor({1}, {1.0F})}},
       here / "m", quick);
  const auto hint = [&](const char* name) {
    object net{{name, tensor(dtype::float32, {1})}};
    const std::string text = message_of<mismatch_error>([&] { load_into(here / "m.ckpt", net); });
    const std::size_t begin = text.find("; it has \"");
    return begin == std::string::npos ? "" : text.substr(begin + 10, text.find('"', begin + 10) - begin - 10);
  };
  CHECK(hint("fc.bias") == "module.fc.bias");
  CHECK(hint("net.c.bias") == "c.bias");
  CHECK(hint("net.d.bias") == "bias");
  CHECK(hint("xbias").empty());
}

TEST_CASE("load_into: choose says what to fill; the rest is neither missing nor unexpected") {
  const scratch::directory here;
  save(object{{"a", tensor({1}, {1.0F})}, {"b", tensor({1}, {2.0F})}, {"c", tensor({1}, {3.0F})}}, here / "m",
       {.append = {{"epoch", 3}}, .durability = durability::none});
  object net{{"a", tensor(dtype::float32, {1})}, {"b", tensor(dtype::int8, {5})}, {"x", tensor(dtype::int8, {1})}};
  const load_report report =
      load_into(here / "m.ckpt", net, {.choose = [](std::string_view name) { return name == "a" || name == "c"; }});
  CHECK(report.filled == 1);
  CHECK(report.missing.empty());
  CHECK(report.unexpected == std::vector<std::string>{"c"});
  CHECK(net.at("a").as<float>()[0] == 1);
  CHECK(says<usage_error>(here / "m.ckpt", [&] {
          load_into(here / "m.ckpt", net, {.choose = [](std::string_view) { return false; }});
        }) == ": choose takes none of the names of the network");
}

TEST_CASE("load_into: what choose throws leaves the network as it was") {
  const scratch::directory here;
  save(object{{"a", tensor({1}, {1.0F})}, {"b", tensor({1}, {2.0F})}}, here / "m", quick);
  object net{{"a", tensor(dtype::float32, {1})}};
  const std::map<std::string, bool, std::less<>> known{{"a", true}};
  CHECK_THROWS_AS(
      load_into(here / "m.ckpt", net, {.choose = [&](std::string_view name) { return known.at(std::string(name)); }}),
      std::out_of_range);
  CHECK(net.at("a").as<float>()[0] == 0);
}

namespace other_library {

/// With functions that are called as ours are, and take everything.
struct net {
  tensor weight{dtype::float32, {1}};
  void visit_parameters(auto&& visitor) { visitor("w", weight); }
};
template <class Any>
void walk(Any&, net&) {}
template <class... Any>
void fill(net&, Any&&...) {}
template <class Any>
void walk_cell(Any&, std::string&, net&) {}

}  // namespace other_library

TEST_CASE("load_into: functions of another library that have the names of ours are not called") {
  const scratch::directory here;
  other_library::net from;
  from.weight.as<float>()[0] = 3;
  save(from, here / "m", quick);
  other_library::net to;
  CHECK(load_into(here / "m.ckpt", to).filled == 1);
  CHECK(to.weight.as<float>()[0] == 3);
}

TEST_CASE("load_into: weights that are tied, from a file of narrower floats") {
  const scratch::directory here;
  const tensor half({4}, {float16(1), float16(2), float16(3), float16(4)});
  save(object{{"embed", half}, {"head", half}}, here / "m", quick);
  std::vector<float> weight(4);
  for (const bool from_memory : {false, true}) {
    std::fill(weight.begin(), weight.end(), 0.0F);
    const std::map<std::string, std::span<float>> net{{"embed", weight}, {"head", weight}};
    if (from_memory) CHECK(load_into(load(here / "m.ckpt"), net).filled == 2);
    else CHECK(load_into(here / "m.ckpt", net).filled == 2);
    CHECK(weight == std::vector<float>{1, 2, 3, 4});
  }
}

namespace handles {

struct part {
  std::vector<float>* at;
  void visit_parameters(auto&& visitor) { visitor("weight", *at); }  // not const
};

struct handle {
  std::shared_ptr<std::vector<float>> at;
  std::string name;
  std::vector<float>& data() { return *at; }
};

struct network {
  std::vector<float> first = std::vector<float>(2);
  std::vector<float> second = std::vector<float>(1);
  std::shared_ptr<tensor> third = std::make_shared<tensor>(dtype::float32, shape{1});
  std::shared_ptr<std::vector<float>> fourth = std::make_shared<std::vector<float>>(1);
  void visit_parameters(auto&& visitor) {
    visitor("fc", part{&first});
    visitor("list", std::vector<part>{{&second}});
    visitor("shared", std::shared_ptr<tensor>(third));
    visitor("handle", handle{fourth, "ignored"});
  }
};

}  // namespace handles

TEST_CASE("load_into: parts that are handed out by value, as handles to what the network has") {
  const scratch::directory here;
  save(object{{"fc.weight", tensor({2}, {1.0F, 2.0F})},
              {"list.0.weight", tensor({1}, {3.0F})},
              {"shared", tensor({1}, {4.0F})},
              {"handle", tensor({1}, {5.0F})}},
       here / "m", quick);
  handles::network net;
  CHECK(load_into(here / "m.ckpt", net).filled == 4);
  CHECK(net.first == std::vector<float>{1, 2});
  CHECK(net.second == std::vector<float>{3});
  CHECK(net.third->as<float>()[0] == 4);
  CHECK(*net.fourth == std::vector<float>{5});
}

TEST_CASE("load_into: a text that cannot be written to is to be that of the file") {
  const scratch::directory here;
  save(std::map<std::string, std::string>{{"version", "1.2"}}, here / "m", quick);
  const std::string path = here / "m.ckpt";
  CHECK(load_into(path, std::map<std::string, std::string_view>{{"version", "1.2"}}).filled == 1);
  const std::map<std::string, const char*> other{{"version", "2"}};
  CHECK(says<mismatch_error>(path, [&] { load_into(path, other); }) ==
        ": string \"version\": that of the file is \"1.2\", that of the network is \"2\", which cannot be written to");
}

TEST_CASE("load_into: a text where a tensor is, and the reverse") {
  const scratch::directory here;
  save(std::map<std::string, std::variant<tensor, std::string>>{{"t", std::string("text")}, {"w", tensor({1}, {1})}},
       here / "m", quick);
  const std::string path = here / "m.ckpt";
  object tensors{{"t", tensor(dtype::uint8, {4})}};
  CHECK(says<mismatch_error>(path, [&] { load_into(path, tensors); }) ==
        ": string \"t\": that of the file is a string, that of the network is a tensor");
  std::map<std::string, std::string> texts{{"w", ""}};
  CHECK(says<mismatch_error>(path, [&] { load_into(path, texts); }) ==
        ": tensor \"w\": that of the file is a tensor, that of the network is a string");
}

TEST_CASE("load_into: a name that the network gives twice, a null pointer, a bool that is none") {
  const scratch::directory here;
  save(object{{"w", tensor({1}, {true})}}, here / "m", {.durability = durability::none, .permissions = 0600});
  const std::string path = here / "m.ckpt";
  std::vector<parameter> twice(2, {"w", tensor(dtype::boolean, {1})});
  CHECK(says<usage_error>(path, [&] { load_into(path, twice); }) ==
        ": tensor \"w\": the network gives the name twice; rename one");
  twice[0].name = "x";
  twice[1].name = "x";
  CHECK(says<usage_error>(path, [&] { load_into(path, twice, some); }) ==
        ": tensor \"x\": the network gives the name twice; rename one");
  std::map<std::string, tensor*> null{{"w", nullptr}};
  CHECK(says<usage_error>(path, [&] { load_into(path, null); }) == ": tensor \"w\": the pointer to it is null");

  std::string bytes = scratch::get(path);
  bytes.back() = 2;
  scratch::put(path, bytes);
  std::map<std::string, std::vector<std::uint8_t>> other{{"w", {0}}};
  CHECK(says<mismatch_error>(path, [&] { load_into(path, other); }) ==
        ": tensor \"w\": that of the file holds bool, that of the network holds uint8");
  object net{{"w", tensor(dtype::boolean, {1})}};
  CHECK(says<format_error>(path, [&] { load_into(path, net); }) == ": tensor \"w\": a bool is 2, neither 0 nor 1");
}

TEST_CASE("load_into: progress, of what is filled") {
  const scratch::directory here;
  save(object{{"a", tensor(dtype::float32, {1000})}, {"b", tensor(dtype::float32, {10})}}, here / "m", quick);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> heard;
  object net{{"b", tensor(dtype::float32, {10})}};
  load_into(here / "m.ckpt", net, {.progress = [&](progress p) { heard.emplace_back(p.done, p.total); }});
  CHECK(heard == std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0, 40}, {40, 40}});
}

TEST_CASE("load_into: a tensor that the file holds in chunks, widened or not") {
  const scratch::directory here;
  const std::vector<float16> half{float16(1), float16(2), float16(3), float16(4), float16(5)};
  const std::string content = scratch::text(std::as_bytes(std::span(half)));
  std::string file;
  for (const auto& [at, size] : {std::pair<std::size_t, std::size_t>{0, 4}, {4, 1}, {5, 5}})
    file += ckpt_file::value("t", ckpt_file::tensor({5}, "Float16", content.substr(at, size)));
  scratch::put(here / "m.ckpt", file);
  object same{{"t", tensor(dtype::float16, {5})}};
  load_into(here / "m.ckpt", same);
  CHECK(scratch::text(same.at("t").bytes()) == content);
  for (const bool from_memory : {false, true}) {
    object wider{{"t", tensor(dtype::float32, {5})}};
    if (from_memory) load_into(load(here / "m.ckpt"), wider);
    else load_into(here / "m.ckpt", wider);
    for (std::size_t i = 0; i < 5; ++i) CHECK(wider.at("t").as<float>()[i] == static_cast<float>(i + 1));
  }
}

TEST_CASE("load_into: one tensor or a part of it") {
  const scratch::directory here;
  save(object{{"a", tensor({4, 2}, {0, 1, 2, 3, 4, 5, 6, 7})}}, here / "m", quick);
  std::array<std::int32_t, 8> all{};
  load_into(here / "m.ckpt", "a", std::span<std::int32_t>(all));
  CHECK(all[7] == 7);
  std::array<std::int32_t, 4> rows{};
  load_into(here / "m.ckpt", "a", std::span<std::int32_t>(rows), {{1, 3}});
  CHECK(rows == std::array<std::int32_t, 4>{2, 3, 4, 5});
  const auto last = [&](auto& to) {
    load_into(here / "m.ckpt", "a", to, {{3, 4}});
    return to[0] == 6 && to[1] == 7;
  };
  std::array<std::int32_t, 2> array{};
  CHECK(last(array));
  std::int32_t plain[2]{};
  CHECK(last(plain));
  array = {};
  const std::span<std::int32_t, 2> fixed(array);
  CHECK(last(fixed));
  all = {};
  load_into(here / "m.ckpt", "a", std::span<std::int32_t, 8>(all));
  CHECK(all[7] == 7);
  load_into(here / "m.ckpt", "a", all, {}, {.in_flight = in_flight::refuse});
  std::vector<std::int32_t> grown(2);
  load_into(here / "m.ckpt", "a", grown, {{3, 4}});
  CHECK(grown == std::vector<std::int32_t>{6, 7});
}
