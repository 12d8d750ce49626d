#include <ckpt/model/concepts.hpp>

#include <doctest/doctest.h>

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include <ckpt/model/parameter.hpp>

using namespace ckpt;

namespace {

struct record {
  std::string name;
  std::vector<float> data;
};
struct with_functions {
  std::string name() const;
  tensor data() const;
};
struct name_only {
  std::string name;
};
struct number_for_data {
  std::string name;
  double data;
};
struct visited {
  void visit_parameters(auto&& visitor) const { visitor("w", std::vector<float>()); }
};
struct visited_mutable {
  void visit_parameters(auto&& visitor) { visitor("w", std::vector<float>()); }
};
struct listed {
  std::map<std::string, tensor> parameters_and_names() const;
};
struct listed_wrong {
  std::vector<int> parameters_and_names() const;
};

}  // namespace

TEST_CASE("text: what converts to a string_view") {
  CHECK(text<std::string>);
  CHECK(text<const std::string&>);
  CHECK(text<std::string_view>);
  CHECK(text<const char*>);
  CHECK(text<char[5]>);
  CHECK(!text<std::nullptr_t>);
  CHECK(!text<std::wstring>);
  CHECK(!text<std::vector<char>>);
  CHECK(!text<char>);
}

TEST_CASE("savable: what can stand behind a name") {
  CHECK(savable<std::string>);
  CHECK(savable<tensor&>);
  CHECK(savable<tensor_view>);
  CHECK(savable<std::vector<double>>);
  CHECK(savable<float[2][3]>);
  CHECK(savable<record>);
  CHECK(savable<with_functions>);
  CHECK(savable<tensor*>);
  CHECK(savable<std::unique_ptr<tensor>>);
  CHECK(savable<std::shared_ptr<const std::vector<float>>>);
  CHECK(savable<std::variant<tensor, std::string>>);
  CHECK(savable<std::variant<tensor*, record>>);
  CHECK(savable<state_value>);
}

TEST_CASE("savable: not numbers, and nothing that would lose all but its first element") {
  CHECK(!savable<int>);
  CHECK(!savable<double>);
  CHECK(!savable<bool>);
  CHECK(!savable<std::vector<tensor>>);
  CHECK(!savable<std::vector<std::vector<float>>>);
  CHECK(!savable<std::vector<std::string>>);
  CHECK(!savable<std::array<tensor, 2>>);
  CHECK(!savable<std::span<const record>>);
  CHECK(!savable<tensor[2]>);
  CHECK(!savable<std::string[2]>);
  CHECK(!savable<std::deque<float>>);
  CHECK(!savable<std::variant<tensor, double>>);
  CHECK(!savable<std::optional<tensor>>);
  CHECK(!savable<std::optional<std::unique_ptr<tensor>>>);  // which may be neither null nor there
  CHECK(!savable<void*>);
  CHECK(!savable<std::unique_ptr<double>>);
  CHECK(!savable<number_for_data>);
  CHECK(!savable<visited>);
}

TEST_CASE("parameter_like: knows its name and its data") {
  CHECK(parameter_like<record&>);
  CHECK(parameter_like<const with_functions>);
  CHECK(parameter_like<parameter*>);
  CHECK(parameter_like<std::unique_ptr<with_functions>&>);
  CHECK(!parameter_like<name_only>);
  CHECK(!parameter_like<number_for_data>);
  CHECK(!parameter_like<tensor>);
  CHECK(!parameter_like<std::pair<std::string, tensor>>);
}

TEST_CASE("parameter_range and tensor_map: ranges of these") {
  CHECK(parameter_range<std::vector<record>>);
  CHECK(parameter_range<const std::deque<with_functions>&>);
  CHECK(parameter_range<parameter[3]>);
  CHECK(!parameter_range<record>);
  CHECK(!parameter_range<std::vector<tensor>>);
  CHECK(tensor_map<std::map<std::string, tensor>>);
  CHECK(tensor_map<std::unordered_map<std::string, std::string>>);
  CHECK(tensor_map<std::vector<std::pair<std::string, std::variant<tensor, std::string>>>>);
  CHECK(tensor_map<state_dict>);
  CHECK(tensor_map<const state_dict&>);
  CHECK(!tensor_map<std::map<int, tensor>>);
  CHECK(!tensor_map<std::map<std::string, double>>);
  CHECK(!tensor_map<std::map<std::string, std::vector<tensor>>>);
  CHECK(!tensor_map<std::set<std::string>>);
}

TEST_CASE("cell_like: visited or listing") {
  CHECK(cell_like<visited>);
  CHECK(cell_like<const visited&>);
  CHECK(cell_like<visited_mutable&>);
  CHECK(cell_like<listed>);
  CHECK(!cell_like<listed_wrong>);
  CHECK(!cell_like<record>);
}

TEST_CASE("save_object: a cell, a parameter range or a tensor map") {
  CHECK(save_object<visited>);
  CHECK(save_object<listed>);
  CHECK(save_object<std::vector<parameter>>);
  CHECK(save_object<std::map<std::string, tensor>&>);
  CHECK(save_object<state_dict>);
  CHECK(!save_object<tensor>);
  CHECK(!save_object<parameter>);
  CHECK(!save_object<std::string>);
  CHECK(!save_object<std::vector<float>>);
  CHECK(!save_object<std::vector<std::string>>);
  CHECK(!save_object<int>);
}
