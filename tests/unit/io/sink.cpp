#include <ckpt/io/sink.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "scratch.hpp"

using namespace ckpt;

namespace {

struct takes_text {
  void write(std::string_view);
};
struct takes_bytes {
  int write(std::span<const std::byte>);
};

static_assert(sink<memory_sink<>>);
static_assert(sink<takes_bytes>);
static_assert(!sink<takes_text>);
static_assert(!sink<int>);
static_assert(overwriting_sink<memory_sink<>>);
static_assert(!overwriting_sink<takes_bytes>);

}  // namespace

TEST_CASE("memory_sink: appends to what is there") {
  std::vector<std::byte> to{std::byte{'>'}};
  memory_sink sink(to);
  sink.write(scratch::bytes("one"));
  sink.write({});
  sink.write(scratch::bytes("two"));
  CHECK(scratch::text(to) == ">onetwo");
}

TEST_CASE("memory_sink: overwrites, counted from the end") {
  std::vector<std::byte> to{std::byte{'>'}};
  memory_sink sink(to);
  sink.write(scratch::bytes("one two"));
  sink.overwrite(7, scratch::bytes("ONE"));
  sink.overwrite(1, scratch::bytes("0"));
  sink.overwrite(0, {});
  CHECK(scratch::text(to) == ">ONE tw0");
}
