#include <ckpt/core/name_index.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace ckpt;

namespace {

/// The two halves of an ordered map.
struct names {
  name_index index;
  std::vector<std::string> list;

  [[nodiscard]] auto at() const {
    return [this](std::size_t position) -> std::string_view { return list[position]; };
  }
  std::pair<std::size_t, bool> insert(const std::string& name) {
    const auto result = index.insert(name, at());
    if (result.is_new) list.push_back(name);
    return {result.position, result.is_new};
  }
  [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const { return index.find(name, at()); }
};

}  // namespace

TEST_CASE("name_index: positions in order of insertion") {
  names n;
  CHECK(n.insert("a") == std::pair(std::size_t{0}, true));
  CHECK(n.insert("b") == std::pair(std::size_t{1}, true));
  CHECK(n.insert("") == std::pair(std::size_t{2}, true));
  CHECK(n.index.size() == 3);
  CHECK(n.find("b") == 1);
  CHECK(n.find("") == 2);
}

TEST_CASE("name_index: a second insertion finds the first, and changes nothing") {
  names n;
  n.insert("a");
  n.insert("b");
  CHECK(n.insert("a") == std::pair(std::size_t{0}, false));
  CHECK(n.index.size() == 2);
  CHECK(n.insert("c") == std::pair(std::size_t{2}, true));
}

TEST_CASE("name_index: nothing in an empty one") {
  const names n;
  CHECK(!n.find(""));
  CHECK(!n.find("a"));
  CHECK(n.index.size() == 0);
}

TEST_CASE("name_index: names that differ in one byte only, of every length") {
  names n;
  for (std::size_t size = 1; size <= 70; ++size)
    for (std::size_t at = 0; at < size; ++at) {
      std::string name(size, 'x');
      name[at] = 'y';
      n.insert(name);
    }
  CHECK(n.index.size() == 70 * 71 / 2);
  int wrong = 0;
  for (std::size_t i = 0; i < n.list.size(); ++i) wrong += n.find(n.list[i]) == i ? 0 : 1;
  CHECK(wrong == 0);
  CHECK(!n.find(std::string(70, 'x')));
}

TEST_CASE("name_index: bytes of all values, zeros too") {
  names n;
  for (std::size_t size = 0; size < 40; ++size) n.insert(std::string(size, '\0'));
  for (int byte = 1; byte < 256; ++byte) n.insert(std::string(3, static_cast<char>(byte)));
  CHECK(n.index.size() == 40 + 255);
  CHECK(n.find(std::string(39, '\0')) == 39);
  CHECK(n.find("\xff\xff\xff") == 294);
}

// Of so many names some share their 32-bit tag (about ten of them), and all share the slots that they try first.
TEST_CASE("name_index: 300,000 names are found again, in whatever they collide") {
  constexpr std::size_t count = 300'000;
  names n;
  n.list.reserve(count);
  for (std::size_t i = 0; i < count; ++i) n.insert("layer." + std::to_string(i) + ".weight");
  REQUIRE(n.index.size() == count);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < count; ++i) wrong += n.find(n.list[i]) == i ? 0u : 1u;
  CHECK(wrong == 0);
  std::size_t found = 0;
  for (std::size_t i = 0; i < 10'000; ++i) found += n.find("layer." + std::to_string(i) + ".bias") ? 1u : 0u;
  CHECK(found == 0);
  CHECK(n.insert("layer.7.weight") == std::pair(std::size_t{7}, false));
}

TEST_CASE("name_index: reserving early, late and too little changes nothing but speed") {
  names n;
  n.index.reserve(1000);
  for (int i = 0; i < 500; ++i) n.insert(std::to_string(i));
  n.index.reserve(3);
  n.index.reserve(100'000);
  for (int i = 500; i < 3000; ++i) n.insert(std::to_string(i));
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < 3000; ++i) wrong += n.find(std::to_string(i)) == i ? 0u : 1u;
  CHECK(wrong == 0);
}

TEST_CASE("name_index: moving takes the names along") {
  names n;
  for (int i = 0; i < 100; ++i) n.insert(std::to_string(i));
  names moved = std::move(n);
  CHECK(moved.find("42") == 42);
  CHECK(moved.insert("100") == std::pair(std::size_t{100}, true));
}
