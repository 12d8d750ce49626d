#include <ckpt/core/function_ref.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>

using namespace ckpt;

namespace {

int apply(function_ref<int(int)> f, int value) { return f(value); }

int twice(int value) { return 2 * value; }

struct counter {
  int calls = 0;
  int operator()(int value) { return calls += value; }
};

struct constant {
  int operator()(int value) const { return value + 100; }
};

}  // namespace

TEST_CASE("function_ref: lambdas, functions, pointers to them and function objects") {
  int sum = 0;
  CHECK(apply([&](int value) { return sum += value; }, 3) == 3);
  CHECK(sum == 3);
  CHECK(apply(twice, 3) == 6);
  CHECK(apply(&twice, 3) == 6);
  const constant hundred;
  CHECK(apply(hundred, 3) == 103);
}

TEST_CASE("function_ref: borrows, so that state stays with the callable") {
  counter count;
  const function_ref<int(int)> f = count;
  CHECK(f(2) == 2);
  const function_ref<int(int)> copy = f;
  CHECK(copy(3) == 5);
  CHECK(count.calls == 5);
}

TEST_CASE("function_ref: arguments are handed on as they are") {
  const auto take = [](std::unique_ptr<int> owned, std::string& changed, std::string_view text) {
    changed.append(text);
    return *owned;
  };
  const function_ref<int(std::unique_ptr<int>, std::string&, std::string_view)> f = take;
  std::string changed = "a";
  CHECK(f(std::make_unique<int>(7), changed, "b") == 7);
  CHECK(changed == "ab");
}

TEST_CASE("function_ref: results convert, and may be nothing") {
  const auto number = [] { return 3; };
  const function_ref<long()> wider = number;
  CHECK(wider() == 3L);
  int calls = 0;
  const auto call = [&] { return ++calls; };
  const function_ref<void()> ignored = call;
  ignored();
  CHECK(calls == 1);
}

TEST_CASE("function_ref: a result by reference is the object itself") {
  int value = 1;
  const auto get = [&]() -> int& { return value; };
  const function_ref<int&()> f = get;
  f() = 5;
  CHECK(value == 5);
}

static_assert(!std::is_constructible_v<function_ref<int(int)>, int>);
static_assert(!std::is_constructible_v<function_ref<int(int)>, int (*)(std::string)>);
