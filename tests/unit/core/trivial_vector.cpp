#include <ckpt/core/trivial_vector.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <new>
#include <span>
#include <string>
#include <utility>

using ckpt::trivial_vector;

namespace {

trivial_vector<std::int64_t> counting(std::int64_t count) {
  trivial_vector<std::int64_t> numbers;
  for (std::int64_t i = 0; i < count; ++i) numbers.push_back(i);
  return numbers;
}

std::string listed(const trivial_vector<std::int64_t>& numbers) {
  std::string text;
  for (const std::int64_t number : numbers) text += std::to_string(number) + ' ';
  return text;
}

}  // namespace

TEST_CASE("trivial_vector: begins empty") {
  const trivial_vector<std::int64_t> none;
  CHECK(none.empty());
  CHECK(none.size() == 0);
  CHECK(none.begin() == none.end());
}

TEST_CASE("trivial_vector: elements keep their order and values while it grows") {
  const trivial_vector<std::int64_t> numbers = counting(1000);
  REQUIRE(numbers.size() == 1000);
  bool all = true;
  for (std::size_t i = 0; i < 1000; ++i) all = all && numbers[i] == static_cast<std::int64_t>(i);
  CHECK(all);
}

TEST_CASE("trivial_vector: push_back returns the new element, and takes one of its own") {
  trivial_vector<std::int64_t> numbers = counting(8);  // as many as the first block holds
  CHECK(numbers.push_back(numbers[7]) == 7);
  numbers.push_back(0) = 5;
  CHECK(listed(numbers) == "0 1 2 3 4 5 6 7 7 5 ");
  CHECK(numbers.back() == 5);
}

TEST_CASE("trivial_vector: a copy is apart from the original") {
  trivial_vector<std::int64_t> numbers = counting(3);
  trivial_vector<std::int64_t> copy = numbers;
  copy[0] = 9;
  CHECK(listed(numbers) == "0 1 2 ");
  CHECK(listed(copy) == "9 1 2 ");
  numbers = copy;
  CHECK(listed(numbers) == "9 1 2 ");
  CHECK(numbers.data() != copy.data());
  CHECK(trivial_vector<std::int64_t>(trivial_vector<std::int64_t>()).empty());
}

TEST_CASE("trivial_vector: a move takes the elements where they lie") {
  trivial_vector<std::int64_t> numbers = counting(3);
  const std::int64_t* const where = numbers.data();
  trivial_vector<std::int64_t> moved = std::move(numbers);
  CHECK(moved.data() == where);
  CHECK(numbers.empty());  // NOLINT(bugprone-use-after-move)
  numbers = std::move(moved);
  CHECK(numbers.data() == where);
  CHECK(listed(numbers) == "0 1 2 ");
}

TEST_CASE("trivial_vector: made of copies") {
  const std::int64_t from[] = {4, 5};
  CHECK(listed(trivial_vector<std::int64_t>(from, 2)) == "4 5 ");
  CHECK(trivial_vector<std::int64_t>(nullptr, 0).empty());
}

TEST_CASE("trivial_vector: reserve keeps the elements, and they stay until there are more than that") {
  trivial_vector<std::int64_t> numbers = counting(3);
  numbers.reserve(100);
  const std::int64_t* const where = numbers.data();
  while (numbers.size() < 100) numbers.push_back(1);
  CHECK(numbers.data() == where);
  numbers.reserve(1);
  CHECK(numbers.size() == 100);
  CHECK(numbers[2] == 2);
}

TEST_CASE("trivial_vector: resize_for_overwrite keeps what fits; clear keeps nothing") {
  trivial_vector<std::int64_t> numbers = counting(3);
  numbers.resize_for_overwrite(2);
  CHECK(listed(numbers) == "0 1 ");
  numbers.resize_for_overwrite(50);
  CHECK(numbers.size() == 50);
  CHECK(numbers[1] == 1);
  numbers.clear();
  CHECK(numbers.empty());
}

TEST_CASE("trivial_vector: room that cannot be had is std::bad_alloc, and changes nothing") {
  trivial_vector<std::int64_t> numbers = counting(3);
  CHECK_THROWS_AS(numbers.reserve(~std::size_t{0}), std::bad_alloc);
  CHECK_THROWS_AS(numbers.reserve(~std::size_t{0} / 8), std::bad_alloc);
  CHECK(listed(numbers) == "0 1 2 ");
}
