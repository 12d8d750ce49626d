#include <ckpt/checkpoint/executor.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <complex>
#include <stdexcept>
#include <string>
#include <vector>

#include "../format/planned.hpp"

using namespace ckpt;

namespace {

/// Keeps what it is given, call by call.
struct calls {
  std::string all;
  std::vector<std::size_t> sizes;
  std::vector<const std::byte*> places;
  void write(std::span<const std::byte> bytes) {
    all += support::text(bytes);
    sizes.push_back(bytes.size());
    places.push_back(bytes.data());
  }
};

/// The same, that takes two runs of bytes at once.
struct calls_of_two : calls {
  using calls::write;
  void write(std::span<const std::byte> first, std::span<const std::byte> second) {
    all += support::text(first) + support::text(second);
    sizes.push_back(first.size() + second.size());
    places.push_back(second.data());
  }
};

std::string numbered(std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>(i ^ (i >> 8U) ^ (i >> 16U));
  return out;
}

void put(plan& to, std::string_view text) {
  const std::span<std::byte> bytes = to.add_owned(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) bytes[i] = static_cast<std::byte>(text[i]);
}

template <class Sink>
std::vector<std::uint64_t> run(const plan& p, Sink& to) {
  std::vector<std::uint64_t> reports;
  executor(p).run(to, [&](std::uint64_t done) { reports.push_back(done); });
  return reports;
}

constexpr std::size_t large = executor::large;

}  // namespace

TEST_CASE("executor: small segments are put together in one write") {
  plan p;
  for (int i = 0; i < 1000; ++i) put(p, std::to_string(i));
  calls to;
  CHECK(run(p, to) == std::vector<std::uint64_t>{p.size()});
  CHECK(to.all == support::planned(p));
  CHECK(to.sizes.size() == 1);
}

TEST_CASE("executor: more small segments than its buffer takes") {
  plan p;
  const std::string piece = numbered(1000);
  for (int i = 0; i < 2500; ++i) p.add(support::bytes(piece));
  calls to;
  const std::vector<std::uint64_t> reports = run(p, to);
  CHECK(to.all == support::planned(p));
  CHECK(to.sizes == std::vector<std::size_t>{1 << 20, 1 << 20, 2'500'000 - (2 << 20)});
  CHECK(reports == std::vector<std::uint64_t>{1 << 20, 2 << 20, 2'500'000});
}

TEST_CASE("executor: large segments go from where they lie") {
  const std::string content = numbered(large);
  plan p;
  put(p, "head");
  p.add(support::bytes(content));
  put(p, "tail");
  calls to;
  CHECK(run(p, to) == std::vector<std::uint64_t>{4 + large, 8 + large});
  CHECK(to.all == "head" + content + "tail");
  CHECK(to.sizes == std::vector<std::size_t>{4, large, 4});
  CHECK(static_cast<const void*>(to.places[1]) == content.data());
}

TEST_CASE("executor: a segment just below large is copied") {
  const std::string content = numbered(large - 1);
  plan p;
  p.add(support::bytes(content));
  calls to;
  run(p, to);
  CHECK(to.all == content);
  CHECK(static_cast<const void*>(to.places[0]) != content.data());
}

TEST_CASE("executor: a sink that takes two runs gets what waits with what is large") {
  const std::string content = numbered(large);
  plan p;
  put(p, "head");
  p.add(support::bytes(content));
  p.add(support::bytes(content));
  calls_of_two to;
  CHECK(run(p, to) == std::vector<std::uint64_t>{4 + large, 4 + 2 * large});
  CHECK(to.all == "head" + content + content);
  CHECK(to.sizes == std::vector<std::size_t>{4 + large, large});
  CHECK(static_cast<const void*>(to.places[0]) == content.data());
}

TEST_CASE(
    "executor: a very large segment is handed over in pieces that end at multiples of the file, with reports between") {
  const std::string content = numbered(2 * executor::piece + 5);
  plan p;
  put(p, "head");
  p.add(support::bytes(content));
  calls_of_two to;
  CHECK(run(p, to) == std::vector<std::uint64_t>{executor::piece, 2 * executor::piece, 9 + 2 * executor::piece});
  CHECK(to.all == "head" + content);
}

TEST_CASE("executor: strided segments of all sizes, cut between elements") {
  for (const std::size_t count : {std::size_t{1}, std::size_t{100}, std::size_t{65'536}, std::size_t{200'000}}) {
    std::vector<std::complex<double>> values(2 * count);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = {static_cast<double>(i), -1.0};
    const tensor_view view =
        tensor_view::strided(dtype::complex128, {static_cast<std::int64_t>(count)}, values.data(), {2});
    const gather from{&view, 0};
    plan p;
    put(p, "odd");  // so that the buffer is never full between two elements
    p.add(segment(from, view.size_bytes()));
    put(p, "end");
    p.add(segment(from, view.size_bytes()));
    calls to;
    const std::vector<std::uint64_t> reports = run(p, to);
    CHECK(to.all == support::planned(p));
    CHECK(reports.back() == p.size());
  }
}

TEST_CASE("executor: what a source has goes through the buffer, whatever its size") {
  const std::string content = numbered(2'500'000);
  const memory_source source(support::bytes(content), "f");
  const gather all{nullptr, 0, &source};
  const gather few{nullptr, 7, &source};
  plan p;
  put(p, "odd");
  p.add(segment(all, content.size()));
  p.add(segment(few, 3));
  calls to;
  const std::vector<std::uint64_t> reports = run(p, to);
  CHECK(to.all == "odd" + content + content.substr(7, 3));
  CHECK(*std::max_element(to.sizes.begin(), to.sizes.end()) <= executor::largest_buffer);
  CHECK(reports.back() == p.size());
}

TEST_CASE("executor: what a source throws comes through") {
  const std::string content = "abc";
  const memory_source source(support::bytes(content), "f");
  const gather past{nullptr, 1, &source};
  plan p;
  p.add(segment(past, 3));
  calls to;
  CHECK(support::message_of<format_error>([&] { run(p, to); }) ==
        "f: ends too early: 3 bytes needed, 2 left, at byte 1");
  CHECK(to.all.empty());
}

TEST_CASE("executor: segments of random sizes and kinds") {
  support::numbers random(13);
  const std::string content = numbered(300'000);
  const std::vector<std::uint16_t> values(500'000, 7);
  const tensor_view view = tensor_view::strided(dtype::uint16, {250'000}, values.data(), {2});
  std::vector<gather> gathers;
  gathers.reserve(1000);
  plan p;
  for (int i = 0; i < 300; ++i) {
    const std::size_t size = i % 10 == 0 ? random.below(content.size()) : random.below(100);
    if (random.below(4) == 0) {
      gathers.push_back({&view, 2 * random.below(1000)});
      p.add(segment(gathers.back(), size / 2 * 2));
    } else {
      p.add(support::bytes(content).subspan(random.below(content.size() - size), size));
    }
  }
  calls to;
  const std::vector<std::uint64_t> reports = run(p, to);
  CHECK(to.all == support::planned(p));
  bool grows = true;
  for (std::size_t i = 1; i < reports.size(); ++i) grows = grows && reports[i] > reports[i - 1];
  CHECK(grows);
  CHECK(reports.back() == p.size());
}

TEST_CASE("executor: nothing is no write and no report") {
  const plan p;
  calls to;
  CHECK(run(p, to).empty());
  CHECK(to.sizes.empty());
}

TEST_CASE("executor: what the sink throws comes through, and it can run again") {
  struct failing {
    int left;
    void write(std::span<const std::byte>) {
      if (left-- == 0) throw std::runtime_error("full");
    }
  };
  const std::string content = numbered(large);
  plan p;
  put(p, "head");
  p.add(support::bytes(content));
  executor e(p);
  for (int left = 0; left < 2; ++left) {
    failing to{left};
    CHECK(support::message_of<std::runtime_error>([&] { e.run(to, [](std::uint64_t) {}); }) == "full");
  }
  calls to;
  e.run(to, [](std::uint64_t) {});
  CHECK(to.all == "head" + content);
}

TEST_CASE("executor: what the report throws comes through") {
  plan p;
  put(p, "head");
  calls to;
  CHECK(support::message_of<std::runtime_error>(
            [&] { executor(p).run(to, [](std::uint64_t) { throw std::runtime_error("stop"); }); }) == "stop");
}
