#include <ckpt/checkpoint/reader.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <ckpt/checkpoint/load_into.hpp>
#include <ckpt/checkpoint/save.hpp>
#include <ckpt/format/safetensors.hpp>

#include "../format/ckpt_file.hpp"
#include "../io/scratch.hpp"

using namespace ckpt;
using scratch::message_of;

namespace {

const save_options quick{.durability = durability::none};

tensor counted(shape extents) {
  tensor t(dtype::int32, std::move(extents));
  std::int32_t next = 0;
  for (std::int32_t& element : t.as<std::int32_t>()) element = next++;
  return t;
}

using object = std::vector<std::pair<std::string, tensor>>;

/// The elements of a box by a plain loop over all of them.
std::vector<std::int32_t> cut(const tensor& t, std::span<const axis_range> ranges) {
  std::vector<std::int32_t> out;
  const std::span<const std::int32_t> elements = t.as<std::int32_t>();
  for (std::size_t i = 0; i < elements.size(); ++i) {
    std::size_t rest = i;
    bool inside = true;
    for (std::size_t axis = t.shape().size(); axis-- > 0;) {
      const auto extent = static_cast<std::size_t>(t.shape()[axis]);
      const auto index = static_cast<std::int64_t>(rest % extent);
      rest /= extent;
      if (axis < ranges.size()) inside = inside && index >= ranges[axis].begin && index < ranges[axis].end;
    }
    if (inside) out.push_back(elements[i]);
  }
  return out;
}

}  // namespace

TEST_CASE("reader: whole tensors, into memory of the caller") {
  const scratch::directory here;
  save(object{{"a", counted({2, 3})}, {"b", counted({4})}}, here / "m", quick);
  const reader file(here / "m.ckpt");
  std::vector<std::int32_t> to(6, -1);
  file.read_into("a", std::span(to));
  CHECK(to == std::vector<std::int32_t>{0, 1, 2, 3, 4, 5});
  std::array<std::byte, 16> raw{};
  file.read_into("b", raw);
  CHECK(support::hex(raw) == "00000000010000000200000003000000");
}

TEST_CASE("reader: into whatever passes as a span") {
  const scratch::directory here;
  save(object{{"a", counted({3, 2})}}, here / "m", quick);
  const reader file(here / "m.ckpt");
  const auto fills = [&](auto& to) {
    file.read_into("a", to, {{1, 2}});
    const bool has_part = to[0] == 2 && to[1] == 3;
    to[0] = to[1] = 0;
    return has_part;
  };
  std::vector<std::int32_t> vector(2);
  CHECK(fills(vector));
  std::array<std::int32_t, 2> array{};
  CHECK(fills(array));
  std::int32_t plain[2]{};
  CHECK(fills(plain));
  const std::span<std::int32_t> span(vector);
  CHECK(fills(span));
  const std::span<std::int32_t, 2> fixed(vector);
  CHECK(fills(fixed));
  tensor owner(dtype::int32, {3, 2});
  file.read_into("a", owner.as<std::int32_t>());
  CHECK(owner.as<std::int32_t>()[5] == 5);
  file.read_into("a", std::span(array), {{0, 1}});
  CHECK(array[1] == 1);
  file.read_into("a", std::span<std::int32_t, 2>(array), {{2, 3}});
  CHECK(array[1] == 5);
  file.read_into<std::int32_t>("a", vector, {{2, 3}});
  CHECK(vector[0] == 4);
  std::byte raw[8]{};
  file.read_into("a", raw, {{2, 3}});
  std::vector<std::byte> bytes(8);
  file.read_into("a", bytes, {{2, 3}});
  file.read_into("a", std::span<std::byte, 8>(raw), {{2, 3}});
  file.read_into("a", {bytes.data(), 8}, {{2, 3}});
  CHECK(support::hex(raw) == "0400000005000000");
  CHECK(support::hex(bytes) == "0400000005000000");
  CHECK(message_of<mismatch_error>([&] { file.read_into("a", array); }) ==
        here / "m.ckpt" + ": tensor \"a\": what is asked for has 24 bytes, the destination 8");
}

TEST_CASE("reader: narrower floats as the same numbers") {
  const scratch::directory here;
  save(object{{"half", tensor({2, 2}, {float16(1.5F), float16(-2.0F), float16(0.25F), float16(65504.0F)})},
              {"brain", tensor({2}, {bfloat16(3.0F), bfloat16(-0.5F)})}},
       here / "m", quick);
  const reader file(here / "m.ckpt");
  std::array<float, 4> to{};
  file.read_into("half", std::span<float>(to));
  CHECK(to == std::array<float, 4>{1.5F, -2.0F, 0.25F, 65504.0F});
  std::array<double, 2> column{};
  file.read_into("half", std::span<double>(column), {{0, 2}, {1, 2}});
  CHECK(column == std::array<double, 2>{-2.0, 65504.0});
  file.read_into("brain", std::span<double>(column));
  CHECK(column == std::array<double, 2>{3.0, -0.5});
  CHECK(message_of<mismatch_error>([&] { file.read_into("brain", std::span<float>(to)); }) ==
        here / "m.ckpt" + ": tensor \"brain\": what is asked for has 8 bytes, the destination 16");
  std::array<float16, 2> half{};
  CHECK(message_of<mismatch_error>([&] { file.read_into("brain", std::span<float16>(half)); }) ==
        here / "m.ckpt" + ": tensor \"brain\": it holds bfloat16, not float16");
}

TEST_CASE("reader: the index of its file") {
  const scratch::directory here;
  save<safetensors>(object{{"a", counted({2, 3})}}, here / "m", quick);
  const reader file(here / "m.safetensors");
  CHECK(file.index().format() == "safetensors");
  CHECK(file.index().size() == 1);
  CHECK(file.index().label() == here / "m.safetensors");
}

TEST_CASE("reader: nothing, of an empty tensor and of an empty slice") {
  const scratch::directory here;
  save(object{{"none", tensor(dtype::int32, {0, 3})}, {"a", counted({4})}}, here / "m", quick);
  const reader file(here / "m.ckpt");
  file.read_into("none", std::span<std::int32_t>());
  file.read_into("a", std::span<std::int32_t>(), {{2, 2}});
  std::array<std::int32_t, 1> to{7};
  CHECK(message_of<mismatch_error>([&] { file.read_into("none", std::span<std::int32_t>(to)); }) ==
        here / "m.ckpt" + ": tensor \"none\": what is asked for has 0 bytes, the destination 4");
}

TEST_CASE("reader: a 0-d tensor") {
  const scratch::directory here;
  save(object{{"scalar", tensor(shape{}, {7})}}, here / "m", quick);
  std::array<std::int32_t, 1> to{};
  load_into(here / "m.ckpt", "scalar", std::span<std::int32_t>(to));
  CHECK(to[0] == 7);
}

TEST_CASE("reader: random slices against a plain loop, of tensors in one piece and in chunks") {
  const scratch::directory here;
  support::numbers random(17);
  // Chunks of any size, by hand; in between lie the headers of their messages.
  const tensor t = counted({6, 5, 7});
  const std::string content = scratch::text(t.bytes());
  std::string chunked;
  for (std::size_t at = 0; at < content.size();) {
    const std::size_t size = std::min<std::size_t>(1 + random.below(40), content.size() - at);
    chunked += ckpt_file::value("t", ckpt_file::tensor({6, 5, 7}, "Int32", content.substr(at, size)));
    at += size;
  }
  scratch::put(here / "chunked.ckpt", chunked);
  save(object{{"t", t}}, here / "whole", quick);
  save<safetensors>(object{{"t", t}}, here / "whole", quick);
  int wrong = 0;
  for (const char* name : {"chunked.ckpt", "whole.ckpt", "whole.safetensors"}) {
    const reader file(here / name);
    for (int round = 0; round < 300; ++round) {
      std::array<axis_range, 3> r{};
      for (std::size_t axis = 0; axis < 3; ++axis) {
        r[axis].begin = random.between(0, t.shape()[axis]);
        r[axis].end = random.between(r[axis].begin, t.shape()[axis]);
      }
      const std::vector<std::int32_t> expected = cut(t, r);
      std::vector<std::int32_t> to(expected.size());
      file.read_into("t", std::span(to), {r[0], r[1], r[2]});
      wrong += to == expected ? 0 : 1;
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("reader: runs that are read at once and such that share a read") {
  const scratch::directory here;
  const tensor t = counted({40, 30'000});  // rows of 120,000 bytes
  save(object{{"t", t}}, here / "m", quick);
  const reader file(here / "m.ckpt");
  for (const std::array<axis_range, 2>& r : {std::array<axis_range, 2>{{{3, 9}, {0, 30'000}}},   // one large run
                                             std::array<axis_range, 2>{{{0, 40}, {5, 29'000}}},  // large runs
                                             std::array<axis_range, 2>{{{0, 40}, {7, 9}}},       // small ones far apart
                                             std::array<axis_range, 2>{{{0, 40}, {0, 16'300}}}}) {  // just below large
    const std::vector<std::int32_t> expected = cut(t, r);
    std::vector<std::int32_t> to(expected.size());
    file.read_into("t", std::span(to), {r[0], r[1]});
    CHECK(to == expected);
  }
}

TEST_CASE("reader: several threads at once") {
  const scratch::directory here;
  const tensor t = counted({100, 50});
  save(object{{"t", t}}, here / "m", quick);
  const reader file(here / "m.ckpt");
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int number = 0; number < 4; ++number)
    threads.emplace_back([&, number] {
      for (int round = 0; round < 50; ++round) {
        const std::int64_t row = (number * 50 + round) % 100;
        std::array<std::int32_t, 50> to{};
        file.read_into("t", std::span<std::int32_t>(to), {{row, row + 1}});
        if (to[0] != row * 50 || to[49] != row * 50 + 49) ++wrong;
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("reader: elements of 4 bits in whole bytes") {
  const scratch::directory here;
  const std::string raw = support::unhex("0123456789ab");
  save<safetensors>(object{{"f4", tensor::from_bytes(dtype::float4_e2m1, {3, 4}, support::bytes(raw))}}, here / "m",
                    quick);
  const reader file(here / "m.safetensors");
  std::array<std::byte, 3> to{};
  file.read_into("f4", to, {{0, 3}, {2, 4}});
  CHECK(support::hex(to) == "2367ab");
  CHECK(message_of<usage_error>([&] { file.read_into("f4", std::span(to).first(1), {{0, 1}, {1, 3}}); }) ==
        here / "m.safetensors" +
            ": tensor \"f4\": the slice cuts float4_e2m1 elements inside a byte: take a multiple of 8 bits along the "
            "last axis");
  CHECK(message_of<usage_error>([&] { file.read_into("f4", std::span(to).first(2), {{0, 1}, {0, 3}}); }) ==
        here / "m.safetensors" +
            ": tensor \"f4\": the slice cuts float4_e2m1 elements inside a byte: take a multiple of 8 bits along the "
            "last axis");
}

// Errors.

TEST_CASE("reader refuses: a name that is not there") {
  const scratch::directory here;
  save(object{{"a", counted({2})}}, here / "m", quick);
  std::array<std::int32_t, 2> to{};
  const auto e =
      scratch::error_of<mismatch_error>([&] { load_into(here / "m.ckpt", "b", std::span<std::int32_t>(to)); });
  CHECK(std::string(e.what()) == here / "m.ckpt" + ": entry \"b\": there is none of that name among 1");
  CHECK(e.code() == errc::missing);
}

TEST_CASE("reader refuses: what is no tensor") {
  const scratch::directory here;
  save_options options = quick;
  options.append = {{"note", "text"}};
  save(object{}, here / "m", options);
  std::array<std::byte, 4> to{};
  CHECK(message_of<mismatch_error>([&] { reader(here / "m.ckpt").read_into("note", to); }) ==
        here / "m.ckpt" + ": string \"note\": it is a string, not a tensor");
}

TEST_CASE("reader refuses: another element type, or memory of another size") {
  const scratch::directory here;
  save(object{{"a", counted({2, 3})}}, here / "m", quick);
  const reader file(here / "m.ckpt");
  std::array<float, 6> floats{};
  const auto e = scratch::error_of<mismatch_error>([&] { file.read_into("a", std::span<float>(floats)); });
  CHECK(std::string(e.what()) == here / "m.ckpt" + ": tensor \"a\": it holds int32, not float32");
  CHECK(e.code() == errc::dtype_mismatch);
  std::array<std::int32_t, 5> five{};
  CHECK(message_of<mismatch_error>([&] { file.read_into("a", std::span<std::int32_t>(five)); }) ==
        here / "m.ckpt" + ": tensor \"a\": what is asked for has 24 bytes, the destination 20");
  CHECK(message_of<mismatch_error>([&] { file.read_into("a", std::span<std::int32_t>(five), {{0, 1}}); }) ==
        here / "m.ckpt" + ": tensor \"a\": what is asked for has 12 bytes, the destination 20");
}

TEST_CASE("reader refuses: a slice that does not fit") {
  const scratch::directory here;
  save(object{{"a", counted({2, 3})}}, here / "m", quick);
  std::array<std::int32_t, 3> to{};
  const auto e =
      scratch::error_of<usage_error>([&] { load_into(here / "m.ckpt", "a", std::span<std::int32_t>(to), {{2, 3}}); });
  CHECK(std::string(e.what()) ==
        here / "m.ckpt" + ": tensor \"a\": the slice [2,3) of axis 0 does not fit shape [2,3]");
  CHECK(e.code() == errc::invalid_argument);
}

TEST_CASE("reader refuses: a bool that is neither 0 nor 1") {
  const scratch::directory here;
  scratch::put(here / "m.ckpt", ckpt_file::value("mask", ckpt_file::tensor({3}, "Bool", std::string("\1\0\2", 3))));
  const reader file(here / "m.ckpt");
  bool to[3]{};
  CHECK(message_of<format_error>([&] { file.read_into("mask", std::span<bool>(to)); }) ==
        here / "m.ckpt" + ": tensor \"mask\": a bool is 2, neither 0 nor 1");
  bool two[2]{};
  file.read_into("mask", std::span<bool>(two), {{0, 2}});
  CHECK(two[0]);
  CHECK(!two[1]);
}

TEST_CASE("reader refuses: what load refuses") {
  const scratch::directory here;
  CHECK(message_of<io_error>([&] { reader file(here / "none"); }) ==
        here / "none" + ": cannot open: No such file or directory");
  scratch::put(here / "bad", "\x0a\x05");
  CHECK(message_of<format_error>([&] { reader file(here / "bad"); }) ==
        here / "bad" + ": field 1 says it has 5 bytes where 0 are left: it was cut short or damaged, at byte 0");
}
