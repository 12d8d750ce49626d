#include <ckpt/model/collect.hpp>

#include <doctest/doctest.h>

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <ranges>
#include <set>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include <ckpt/model/parameter.hpp>

#include "summary.hpp"

using namespace ckpt;
using support::collected;

namespace {

tensor bytes(std::initializer_list<std::uint8_t> values) {
  return tensor({static_cast<std::int64_t>(values.size())}, values);
}

template <class Object>
std::string refused(Object&& object, duplicates policy = duplicates::refuse) {
  return support::message_of<usage_error>([&] { (void)collected(object, policy); });
}

struct record {
  std::string name;
  std::vector<std::uint8_t> data;
};

class parameter_object {
 public:
  parameter_object(std::string name, tensor data) : m_name(std::move(name)), m_data(std::move(data)) {}
  [[nodiscard]] const std::string& name() const { return m_name; }
  [[nodiscard]] const tensor& data() const { return m_data; }

 private:
  std::string m_name;
  tensor m_data;
};

struct by_value {  // makes name and data anew for each call
  std::uint8_t number;
  [[nodiscard]] std::string name() const { return std::string("p").append(std::to_string(number)); }
  [[nodiscard]] std::vector<std::uint8_t> data() const { return {number, number}; }
};

class named_tensor {  // its data is itself, by tensor_traits
 public:
  explicit named_tensor(std::string name) : m_name(std::move(name)) {}
  [[nodiscard]] const char* name() const { return m_name.c_str(); }
  std::array<std::uint8_t, 2> elements{7, 8};

 private:
  std::string m_name;
};

struct mutable_parameter {  // data() is not const, as in many libraries
  std::string name;
  tensor& data() { return m_data; }
  tensor m_data = bytes({9});
};

}  // namespace

template <>
struct ckpt::tensor_traits<named_tensor> {
  static tensor_view view(const named_tensor& t) { return {std::span(t.elements), {2}}; }
};

// Parameter lists.

TEST_CASE("collect: records with a name and data") {
  CHECK(collected(std::vector<record>{{"a", {1}}, {"b", {2, 3}}}) == "a uint8[1] 01; b uint8[2] 0203");
  CHECK(collected(std::vector<parameter>{{"a", bytes({1})}}) == "a uint8[1] 01");
}

TEST_CASE("collect: objects with name() and data(), in any kind of range") {
  CHECK(collected(std::vector<parameter_object>{{"a", bytes({1})}}) == "a uint8[1] 01");
  CHECK(collected(std::deque<parameter_object>{{"a", bytes({1})}}) == "a uint8[1] 01");
  CHECK(collected(std::list<parameter_object>{{"a", bytes({1})}, {"b", bytes({2})}}) == "a uint8[1] 01; b uint8[1] 02");
  const parameter_object plain[]{{"a", bytes({1})}, {"b", bytes({2})}};
  CHECK(collected(plain) == "a uint8[1] 01; b uint8[1] 02");
}

TEST_CASE("collect: names and data made anew by each call live until the save is done") {
  CHECK(collected(std::vector<by_value>{{1}, {2}}) == "p1 uint8[2] 0101; p2 uint8[2] 0202");
}

TEST_CASE("collect: a parameter that is its own tensor") {
  CHECK(collected(std::vector<named_tensor>{named_tensor("t")}) == "t uint8[2] 0708");
}

TEST_CASE("collect: data() that is not const") {
  std::vector<mutable_parameter> list(1);
  list[0].name = "m";
  CHECK(collected(list) == "m uint8[1] 09");
}

TEST_CASE("collect: ranges that make their elements while they are walked") {
  const auto numbers = std::views::iota(0, 3);
  auto records = numbers | std::views::transform([](int i) {
                   return record{"short" + std::to_string(i), {static_cast<std::uint8_t>(i)}};
                 });
  CHECK(collected(records) == "short0 uint8[1] 00; short1 uint8[1] 01; short2 uint8[1] 02");
  const std::string longer(40, 'n');
  auto objects = numbers | std::views::transform(
                               [&](int i) { return parameter_object(longer, bytes({static_cast<std::uint8_t>(i)})); });
  CHECK(collected(objects, duplicates::keep_last) == longer + " uint8[1] 02");
  auto pairs = numbers | std::views::transform([](int i) { return std::pair(std::to_string(i), bytes({5})); });
  CHECK(collected(pairs) == "0 uint8[1] 05; 1 uint8[1] 05; 2 uint8[1] 05");
  auto pointers =
      numbers | std::views::transform([](int i) { return std::make_unique<record>(record{std::to_string(i), {6}}); });
  CHECK(collected(pointers) == "0 uint8[1] 06; 1 uint8[1] 06; 2 uint8[1] 06");
}

namespace {

struct layer {
  std::string name;
  std::uint8_t value;
  [[nodiscard]] std::vector<record> parameters() const {
    return {{name + ".a weight with a long name", {value, 1, 2}}, {name + ".bias", {value}}};
  }
  [[nodiscard]] std::vector<std::pair<std::string, tensor>> pairs() const { return {{name, bytes({value})}}; }
};

struct joined_cell {
  const std::vector<layer>& all;
  [[nodiscard]] auto parameters_and_names() const {
    return all | std::views::transform([](const layer& l) { return l.pairs(); }) | std::views::join;
  }
};

struct cell_of_joined {
  const std::vector<layer>& all;
  void visit_parameters(auto&& visitor) const {
    visitor("list", all | std::views::transform([](const layer& l) { return l.parameters(); }) | std::views::join);
  }
};

}  // namespace

TEST_CASE("collect: a range that keeps no element, as one that is joined of temporaries") {
  const std::vector<layer> layers{{"x", 5}, {"y", 6}};
  auto parameters = layers | std::views::transform([](const layer& l) { return l.parameters(); }) | std::views::join;
  static_assert(std::is_lvalue_reference_v<decltype(*parameters.begin())>);
  CHECK(collected(parameters) ==
        "x.a weight with a long name uint8[3] 050102; x.bias uint8[1] 05; y.a weight with a long name uint8[3] 060102; "
        "y.bias uint8[1] 06");
  auto pairs = layers | std::views::transform([](const layer& l) { return l.pairs(); }) | std::views::join;
  CHECK(collected(pairs) == "x uint8[1] 05; y uint8[1] 06");
  const joined_cell cell{layers};
  CHECK(collected(cell) == "x uint8[1] 05; y uint8[1] 06");
  CHECK(collected(cell_of_joined{layers}) ==
        "list.0 uint8[3] 050102; list.1 uint8[1] 05; list.2 uint8[3] 060102; list.3 uint8[1] 06");
}

TEST_CASE("collect: a view of a list that keeps some") {
  const std::vector<record> all{{"conv1", {1}}, {"fc", {2}}, {"conv2", {3}}};
  auto some = all | std::views::filter([](const record& r) { return r.name.starts_with("conv"); });
  CHECK(collected(some) == "conv1 uint8[1] 01; conv2 uint8[1] 03");
}

TEST_CASE("collect: raw, unique and shared pointers to parameters") {
  record a{"a", {1}};
  CHECK(collected(std::vector<record*>{&a}) == "a uint8[1] 01");
  CHECK(collected(std::vector<const record*>{&a}) == "a uint8[1] 01");
  std::vector<std::unique_ptr<parameter_object>> owned;
  owned.push_back(std::make_unique<parameter_object>("b", bytes({2})));
  CHECK(collected(owned) == "b uint8[1] 02");
  CHECK(collected(std::vector{std::make_shared<by_value>(by_value{3})}) == "p3 uint8[2] 0303");
}

TEST_CASE("collect refuses: a null pointer in a parameter list") {
  CHECK(refused(std::vector<record*>{nullptr}) == "f: a pointer in the parameter list is null");
  CHECK(refused(std::vector<std::shared_ptr<by_value>>(1)) == "f: a pointer in the parameter list is null");
}

// Maps.

TEST_CASE("collect: maps and lists of pairs, tensors and strings") {
  CHECK(collected(std::map<std::string, tensor>{{"b", bytes({2})}, {"a", bytes({1})}}) ==
        "a uint8[1] 01; b uint8[1] 02");
  CHECK(collected(std::vector<std::pair<std::string, tensor>>{{"b", bytes({2})}, {"a", bytes({1})}}) ==
        "b uint8[1] 02; a uint8[1] 01");
  CHECK(collected(std::map<std::string_view, std::string>{{"note", "text"}}) == "note \"text\"");
  CHECK(collected(std::vector<std::pair<const char*, const char*>>{{"note", "text"}}) == "note \"text\"");
  CHECK(collected(std::multimap<std::string, std::vector<std::uint8_t>>{{"a", {1}}}) == "a uint8[1] 01");
}

TEST_CASE("collect: an unordered_map, in whatever order it has") {
  std::unordered_map<std::string, std::vector<std::uint8_t>> map{{"a", {1}}, {"b", {2}}, {"c", {3}}};
  std::string expected;
  for (const auto& [name, value] : map)
    expected += (expected.empty() ? "" : "; ") + name + " uint8[1] 0" + std::to_string(value[0]);
  CHECK(collected(map) == expected);
}

TEST_CASE("collect: tensor-like values of all kinds in one variant") {
  using value =
      std::variant<tensor, std::string, std::vector<float>, const tensor*, std::shared_ptr<tensor>, const char*>;
  const tensor outside = bytes({7});
  const std::vector<std::pair<std::string, value>> list{{"a", bytes({1})},
                                                        {"b", std::string("text")},
                                                        {"c", std::vector<float>{1.0F}},
                                                        {"d", &outside},
                                                        {"e", std::make_shared<tensor>(bytes({8}))},
                                                        {"f", "more"}};
  CHECK(collected(list) ==
        "a uint8[1] 01; b \"text\"; c float32[1] 0000803f; d uint8[1] 07; e uint8[1] 08; f \"more\"");
}

TEST_CASE("collect: variants made while they are walked") {
  using value = std::variant<tensor, std::string>;
  auto made = std::views::iota(0, 2) | std::views::transform([](int i) {
                return std::pair<std::string, value>(std::to_string(i),
                                                     i == 0 ? value(bytes({1})) : value(std::string("text")));
              });
  CHECK(collected(made) == "0 uint8[1] 01; 1 \"text\"");
}

TEST_CASE("collect: pointers as values, and the refusal of a null one") {
  tensor t = bytes({1});
  CHECK(collected(std::map<std::string, tensor*>{{"t", &t}}) == "t uint8[1] 01");
  std::map<std::string, std::unique_ptr<tensor>> owned;
  owned["u"] = std::make_unique<tensor>(bytes({2}));
  CHECK(collected(owned) == "u uint8[1] 02");
  owned["v"] = nullptr;
  CHECK(refused(owned) == "f: tensor \"v\": the pointer to it is null");
  CHECK(refused(std::map<std::string, tensor*>{{"t", nullptr}}) == "f: tensor \"t\": the pointer to it is null");
}

TEST_CASE("collect: parameters as values go by the key of the map") {
  CHECK(collected(std::map<std::string, parameter>{{"key", {"name", bytes({1})}}}) == "key uint8[1] 01");
  CHECK(collected(std::map<std::string, by_value>{{"key", {4}}}) == "key uint8[2] 0404");
}

TEST_CASE("collect: strided values stay strided until they are written") {
  const std::uint8_t m[]{1, 2, 3, 4};
  const std::map<std::string, tensor_view> map{{"t", tensor_view::strided(dtype::uint8, {2, 2}, m, {1, 2})}};
  entries all = support::no_entries();
  collect(all, map);
  CHECK(all.begin()->whole.is_gathered());
  CHECK(support::summary(all) == "t uint8[2,2] 01030204");
}

TEST_CASE("collect: contiguous data is borrowed, not copied") {
  const std::map<std::string, tensor> map{{"t", bytes({1, 2})}};
  entries all = support::no_entries();
  collect(all, map);
  CHECK(all.begin()->whole.bytes().data() == map.at("t").bytes().data());
}

TEST_CASE("collect: nothing at all") {
  CHECK(collected(std::map<std::string, tensor>{}).empty());
  CHECK(collected(std::vector<parameter>{}).empty());
}

TEST_CASE("collect: empty tensors, 0-d tensors, empty strings and the empty name") {
  const std::vector<std::pair<std::string, std::variant<tensor, std::string, std::vector<double>>>> list{
      {"", tensor(dtype::int8, {0, 3})},
      {"scalar", tensor(shape{}, {std::uint8_t{5}})},
      {"text", ""},
      {"v", std::vector<double>{}}};
  CHECK(collected(list) == " int8[0,3] ; scalar uint8[] 05; text \"\"; v float64[0] ");
}

// A shape beside the data.

namespace {

struct matrix {  // its elements in a plain range, and their shape beside them
  std::vector<std::uint8_t> data;
  std::vector<int> shape;
};

class matrix_object {
 public:
  [[nodiscard]] const std::vector<std::uint8_t>& data() const { return m_data; }
  [[nodiscard]] std::array<std::size_t, 2> shape() const { return {3, 1}; }

 private:
  std::vector<std::uint8_t> m_data{1, 2, 3};
};

struct matrix_by_value {
  [[nodiscard]] static std::vector<std::uint8_t> data() { return {5, 6}; }
  [[nodiscard]] static std::vector<std::int64_t> shape() { return {1, 2}; }
};

struct named_matrix {
  std::string name;
  std::vector<std::uint8_t> data;
  std::vector<std::int64_t> shape;
};

struct array {  // itself a range of its elements, as arrays of many libraries are
  [[nodiscard]] const std::uint8_t* data() const { return elements.data(); }
  [[nodiscard]] std::size_t size() const { return elements.size(); }
  [[nodiscard]] const std::uint8_t* begin() const { return elements.data(); }
  [[nodiscard]] const std::uint8_t* end() const { return elements.data() + elements.size(); }
  [[nodiscard]] const std::vector<int>& shape() const { return extents; }

  std::vector<std::uint8_t> elements;
  std::vector<int> extents;
};

struct vector_with_shape : std::vector<std::uint8_t> {
  std::vector<std::int64_t> shape{2, 1};
};

struct tensor_with_shape {  // the tensor knows its shape
  tensor data = tensor({2, 1}, {std::uint8_t{7}, std::uint8_t{8}});
  std::vector<int> shape{2, 1};
};

}  // namespace

TEST_CASE("collect: the shape beside plain data is its shape") {
  CHECK(collected(std::map<std::string, matrix>{{"m", {{1, 2, 3, 4}, {2, 2}}}}) == "m uint8[2,2] 01020304");
  CHECK(collected(std::map<std::string, matrix>{{"m", {{1}, {}}}}) == "m uint8[] 01");
  CHECK(collected(std::map<std::string, matrix>{{"m", {{}, {0, 4}}}}) == "m uint8[0,4] ");
  CHECK(collected(std::map<std::string, matrix_object>{{"m", {}}}) == "m uint8[3,1] 010203");
  CHECK(collected(std::map<std::string, matrix_by_value>{{"m", {}}}) == "m uint8[1,2] 0506");
  CHECK(collected(std::map<std::string, tensor_with_shape>{{"m", {}}}) == "m uint8[2,1] 0708");
  CHECK(collected(std::vector<named_matrix>{{"m", {1, 2}, {2, 1}}}) == "m uint8[2,1] 0102");
  CHECK(collected(std::map<std::string, array>{{"m", {{1, 2, 3, 4}, {2, 2}}}}) == "m uint8[2,2] 01020304");
  vector_with_shape grown;
  grown.assign({7, 8});
  CHECK(collected(std::map<std::string, vector_with_shape>{{"m", grown}}) == "m uint8[2,1] 0708");
}

TEST_CASE("collect refuses: a shape that the data beside it does not fill") {
  CHECK(refused(std::map<std::string, matrix>{{"m", {{1, 2, 3}, {2, 2}}}}) ==
        "f: tensor \"m\": its shape is [2,2], its data [3] of uint8");
  CHECK(refused(std::map<std::string, matrix>{{"m", {{1, 2, 3}, {-3}}}}) ==
        "f: tensor \"m\": its shape is [-3], its data [3] of uint8");
  CHECK(refused(std::map<std::string, array>{{"m", {{1, 2, 3}, {2, 2}}}}) ==
        "f: tensor \"m\": uint8[2,2] takes 4 bytes, not 3");
}

// One name twice.

TEST_CASE("collect refuses: one name twice, and names it") {
  CHECK(refused(std::vector<record>{{"w", {1}}, {"x", {2}}, {"w", {3}}}) ==
        "f: tensor \"w\": the name is given twice; rename one, or save with .duplicates = "
        "ckpt::duplicates::keep_last");
  CHECK(refused(std::vector<std::pair<std::string, std::string>>{{"w", "a"}, {"w", "b"}}) ==
        "f: string \"w\": the name is given twice; rename one, or save with .duplicates = "
        "ckpt::duplicates::keep_last");
}

TEST_CASE("collect: keep_last keeps the first one's place and the last one's value, kind, type and shape") {
  const std::vector<std::pair<std::string, std::variant<tensor, std::string>>> list{
      {"a", bytes({1})}, {"b", bytes({2})}, {"a", tensor({1, 1}, {std::int16_t{3}})}, {"b", "text"}};
  CHECK(collected(list, duplicates::keep_last) == "a int16[1,1] 0300; b \"text\"");
}

// Choosing.

TEST_CASE("collect: choose is asked for each name, and nothing else is looked at") {
  std::vector<std::string> asked;
  const auto choose = [&](std::string_view name) {
    asked.emplace_back(name);
    return name.starts_with("conv");
  };
  CHECK(collected(std::vector<record>{{"conv1", {1}}, {"fc", {2}}}, duplicates::refuse, choose) == "conv1 uint8[1] 01");
  CHECK(asked == std::vector<std::string>{"conv1", "fc"});
  tensor* const null = nullptr;
  CHECK(collected(std::map<std::string, tensor*>{{"null", null}}, duplicates::refuse, choose).empty());
}

TEST_CASE("collect: a name that is not chosen may come twice") {
  CHECK(collected(std::vector<record>{{"a", {1}}, {"b", {2}}, {"b", {3}}}, duplicates::refuse,
                  [](std::string_view name) { return name == "a"; }) == "a uint8[1] 01");
}

// Cells.

namespace {

struct dense {
  std::vector<std::uint8_t> weight{1};
  tensor bias = bytes({2});
  void visit_parameters(auto&& visitor) const {
    visitor("weight", weight);
    visitor("bias", bias);
  }
};

struct network {
  dense layer1;
  std::vector<dense> blocks{2};
  std::vector<std::unique_ptr<dense>> parts;
  std::shared_ptr<dense> optional;
  std::vector<tensor> table;
  std::string note = "text";
  parameter named{"ignored", bytes({9})};
  void visit_parameters(auto&& visitor) {
    visitor("layer1", layer1);
    visitor("blocks", blocks);
    visitor("parts", parts);
    visitor("optional", optional);
    visitor("table", table);
    visitor("note", note);
    visitor("named", named);
  }
};

}  // namespace

TEST_CASE("collect: a cell names members and nested cells, lists by number") {
  network net;
  net.parts.push_back(std::make_unique<dense>());
  net.table.push_back(bytes({7}));
  net.table.push_back(bytes({8}));
  CHECK(collected(net) ==
        "layer1.weight uint8[1] 01; layer1.bias uint8[1] 02; "
        "blocks.0.weight uint8[1] 01; blocks.0.bias uint8[1] 02; "
        "blocks.1.weight uint8[1] 01; blocks.1.bias uint8[1] 02; "
        "parts.0.weight uint8[1] 01; parts.0.bias uint8[1] 02; "
        "table.0 uint8[1] 07; table.1 uint8[1] 08; note \"text\"; named uint8[1] 09");
}

TEST_CASE("collect: a cell behind a pointer is there or not") {
  network net;
  net.blocks.clear();
  net.optional = std::make_shared<dense>();
  CHECK(collected(net) ==
        "layer1.weight uint8[1] 01; layer1.bias uint8[1] 02; "
        "optional.weight uint8[1] 01; optional.bias uint8[1] 02; note \"text\"; named uint8[1] 09");
}

TEST_CASE("collect: choose sees the whole names of a cell") {
  network net;
  CHECK(collected(net, duplicates::refuse, [](std::string_view name) { return name.ends_with(".1.bias"); }) ==
        "blocks.1.bias uint8[1] 02");
}

namespace {

struct generated {  // everything it names is made for the call
  void visit_parameters(auto&& visitor) const {
    visitor("tensor", bytes({1}));
    visitor("text", std::string("made for the call, and too long to lie in the string itself"));
    visitor("cell", dense());
    visitor("cells", std::vector<dense>(1));
    visitor("list", std::vector<tensor>{bytes({3})});
    visitor("pointer", std::make_unique<dense>());
    visitor(std::string("name") + std::to_string(1), std::make_shared<tensor>(bytes({4})));
  }
};

}  // namespace

TEST_CASE("collect: what a cell makes for the call lives until the save is done") {
  CHECK(collected(generated()) ==
        "tensor uint8[1] 01; text \"made for the call, and too long to lie in the string itself\"; "
        "cell.weight uint8[1] 01; cell.bias uint8[1] 02; cells.0.weight uint8[1] 01; cells.0.bias uint8[1] 02; "
        "list.0 uint8[1] 03; pointer.weight uint8[1] 01; pointer.bias uint8[1] 02; name1 uint8[1] 04");
}

namespace {

struct lists_by_reference {
  std::vector<std::pair<std::string, tensor>> list{{"a", bytes({1})}, {"b", bytes({2})}};
  [[nodiscard]] const auto& parameters_and_names() const { return list; }
};

struct lists_by_value {
  [[nodiscard]] std::vector<std::pair<std::string, std::vector<std::uint8_t>>> parameters_and_names() const {
    return {{"a", {1}}, {"b", {2}}};
  }
};

struct lists_pointers {
  tensor t = bytes({3});
  [[nodiscard]] std::vector<std::pair<std::string, const tensor*>> parameters_and_names() const { return {{"t", &t}}; }
};

/// Can neither be moved nor copied.
struct fixed_list {
  explicit fixed_list(std::uint8_t first) : elements{{"a", {first}}, {"b", {2}}} {}
  fixed_list(const fixed_list&) = delete;
  fixed_list& operator=(const fixed_list&) = delete;
  [[nodiscard]] auto begin() const { return elements.begin(); }
  [[nodiscard]] auto end() const { return elements.end(); }
  std::vector<std::pair<std::string, std::vector<std::uint8_t>>> elements;
};

struct lists_in_place {
  [[nodiscard]] fixed_list parameters_and_names() const { return fixed_list(1); }
};

struct lists_as_it_goes {
  [[nodiscard]] auto parameters_and_names() const {
    return std::views::iota(0, 2) | std::views::transform([](int i) {
             return std::pair("p" + std::to_string(i), bytes({static_cast<std::uint8_t>(i)}));
           });
  }
};

struct changes_while_listing {
  std::map<std::string, tensor> map;
  std::map<std::string, tensor>& parameters_and_names() {
    map.emplace("late", bytes({6}));
    return map;
  }
};

struct outer {
  lists_by_reference inner;
  lists_by_value made;
  void visit_parameters(auto&& visitor) const {
    visitor("inner", inner);
    visitor("made", made);
  }
};

}  // namespace

TEST_CASE("collect: parameters_and_names(), by reference, by value, of pointers, and made while walked") {
  CHECK(collected(lists_by_reference()) == "a uint8[1] 01; b uint8[1] 02");
  CHECK(collected(lists_by_value()) == "a uint8[1] 01; b uint8[1] 02");
  CHECK(collected(lists_in_place()) == "a uint8[1] 01; b uint8[1] 02");
  CHECK(collected(lists_pointers()) == "t uint8[1] 03");
  CHECK(collected(lists_as_it_goes()) == "p0 uint8[1] 00; p1 uint8[1] 01");
  CHECK(collected(changes_while_listing()) == "late uint8[1] 06");
}

TEST_CASE("collect: a cell that lists, within one that is visited") {
  CHECK(collected(outer()) == "inner.a uint8[1] 01; inner.b uint8[1] 02; made.a uint8[1] 01; made.b uint8[1] 02");
}

// What load returned.

namespace {

/// A state_dict over the bytes 00 01 02 ... 3f.
state_dict loaded() {
  aligned_memory bytes(64);
  for (std::size_t i = 0; i < 64; ++i) bytes.bytes()[i] = static_cast<std::byte>(i);
  file_index index("ckpt", "g", 64);
  const extent whole{1, 2};
  const extent chunks[]{{4, 2}, {8, 2}};
  index.add("w", entry_kind::tensor, dtype::uint8, shape{2}, std::span(&whole, 1));
  index.add_string("note", "text");
  index.add("chunked", entry_kind::tensor, dtype::int16, shape{2}, chunks);
  index.add("table", entry_kind::map, dtype::uint8, shape{}, chunks);
  CHECK(!index.index_names());
  return {std::move(index), std::move(bytes)};
}

}  // namespace

TEST_CASE("collect: a state_dict, with strings, chunks and maps") {
  const state_dict dict = loaded();
  CHECK(collected(dict) == "w uint8[2] 0102; note \"text\"; chunked int16[2] 04050809; table map[] 04050809");
  entries all = support::no_entries();
  collect(all, dict);
  for (const entry& e : all)
    if (e.name == "table") CHECK(e.pieces().size() == 2);  // the slices of a map stay apart
}

TEST_CASE("collect: values of a state_dict in a map of one's own") {
  const state_dict dict = loaded();
  std::map<std::string, state_value> some;
  some.emplace("renamed", dict["w"]);
  some.emplace("words", dict["note"]);
  CHECK(collected(some) == "renamed uint8[2] 0102; words \"text\"");
  std::vector<std::pair<std::string, std::variant<tensor, state_value>>> mixed;
  mixed.emplace_back("new", bytes({1}));
  mixed.emplace_back("old", dict["chunked"]);
  CHECK(collected(mixed) == "new uint8[1] 01; old int16[2] 04050809");
}

TEST_CASE("collect: a state_dict is chosen from by name") {
  CHECK(collected(loaded(), duplicates::refuse, [](std::string_view name) { return name == "note"; }) ==
        "note \"text\"");
}

namespace {

struct scaled {  // has a member called data, and is a cell all the same
  std::vector<std::uint8_t> data{1};
  std::vector<std::uint8_t> scale{2};
  void visit_parameters(auto&& visitor) {
    visitor("data", data);
    visitor("scale", scale);
  }
};

struct net_of_scaled {
  scaled one;
  std::vector<scaled> list{1};
  std::unique_ptr<scaled> pointer = std::make_unique<scaled>();
  void visit_parameters(auto&& visitor) {
    visitor("one", one);
    visitor("list", list);
    visitor("pointer", pointer);
  }
};

}  // namespace

TEST_CASE("collect: a cell is walked, also where it has data") {
  static_assert(!savable<scaled> && !save_object<std::map<std::string, scaled>>);
  CHECK(collected(net_of_scaled()) ==
        "one.data uint8[1] 01; one.scale uint8[1] 02; list.0.data uint8[1] 01; list.0.scale uint8[1] 02; "
        "pointer.data uint8[1] 01; pointer.scale uint8[1] 02");
}
