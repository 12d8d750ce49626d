#include <ckpt/io/source_window.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "../support.hpp"

using namespace ckpt;

namespace {

/// Counts what is read of it.
class counting_source final : public source {
 public:
  explicit counting_source(std::string_view bytes) : source("f"), m_bytes(bytes) {}
  [[nodiscard]] std::uint64_t size() const noexcept override { return m_bytes.size(); }
  void read(std::uint64_t offset, byte_span to) const override {
    require(offset, to.size());
    if (fails) throw std::runtime_error("not now");
    if (!to.empty()) std::memcpy(to.data(), m_bytes.data() + offset, to.size());
    ++reads;
    bytes_read += to.size();
  }
  bool fails = false;
  mutable std::size_t reads = 0;
  mutable std::size_t bytes_read = 0;

 private:
  std::string_view m_bytes;
};

std::string numbered(std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>(i ^ (i >> 8U) ^ (i >> 16U));
  return out;
}

}  // namespace

TEST_CASE("source_window: of memory it shows all that follows, where it lies") {
  const std::string bytes = numbered(100);
  const memory_source from(support::bytes(bytes));
  source_window window(from);
  CHECK(window.is_stable());
  CHECK(static_cast<const void*>(window.at(10, 1).data()) == bytes.data() + 10);
  CHECK(window.at(10, 1).size() == 90);
  CHECK(window.at(100, 1).empty());
  CHECK(window.at(~std::uint64_t{0}, 1).empty());
}

TEST_CASE("source_window: of a source that is read, what is wanted or all there is") {
  const std::string bytes = numbered(20'000);
  const counting_source from(bytes);
  source_window window(from);
  CHECK(!window.is_stable());
  CHECK(support::text(window.at(0, 10)).substr(0, 10) == bytes.substr(0, 10));
  CHECK(support::text(window.at(5000, 12'000)).substr(0, 12'000) == bytes.substr(5000, 12'000));
  CHECK(support::text(window.at(19'990, 100)) == bytes.substr(19'990));
  CHECK(window.at(20'000, 1).empty());
  CHECK(window.at(20'001, 1).empty());
}

TEST_CASE("source_window: random looks are all right, in any direction") {
  support::numbers random(23);
  const std::string bytes = numbered(3'000'000);
  const counting_source from(bytes);
  source_window window(from);
  int wrong = 0;
  std::uint64_t at = 0;
  for (int round = 0; round < 2000; ++round) {
    const bool jump = random.below(10) == 0;
    at = jump ? random.below(bytes.size() + 10) : at + random.below(3000);
    const std::size_t want = random.below(random.below(50) == 0 ? 100'000 : 50);
    const std::span<const std::byte> seen = window.at(at, want);
    const std::size_t left = at < bytes.size() ? bytes.size() - at : 0;
    const std::size_t least = want < left ? want : left;
    const bool right = seen.size() >= least && seen.size() <= left &&
                       (seen.empty() || std::memcmp(seen.data(), bytes.data() + at, seen.size()) == 0);
    wrong += right ? 0 : 1;
  }
  CHECK(wrong == 0);
}

TEST_CASE("source_window: looks that lie far apart read little each") {
  const std::string bytes = numbered(10'000'000);
  const counting_source from(bytes);
  source_window window(from);
  for (std::uint64_t at = 0; at < bytes.size(); at += 1'000'000) (void)window.at(at, 20);
  CHECK(from.reads == 10);
  CHECK(from.bytes_read <= 10 * 4096);
}

TEST_CASE("source_window: looks that follow each other share large reads") {
  const std::string bytes = numbered(10'000'000);
  const counting_source from(bytes);
  source_window window(from);
  for (std::uint64_t at = 0; at < bytes.size(); at += 100) (void)window.at(at, 20);
  CHECK(from.reads <= 30);
  CHECK(from.bytes_read <= 2 * bytes.size());
}

TEST_CASE("source_window: a look that failed shows nothing, and the next one is right") {
  const std::string bytes = numbered(10'000);
  counting_source from(bytes);
  source_window window(from);
  (void)window.at(0, 10);
  from.fails = true;
  CHECK_THROWS_WITH((void)window.at(6000, 10), "not now");
  CHECK_THROWS_WITH((void)window.at(6000, 10), "not now");
  from.fails = false;
  CHECK(support::text(window.at(6000, 10)).substr(0, 10) == bytes.substr(6000, 10));
  CHECK(support::text(window.at(0, 10)).substr(0, 10) == bytes.substr(0, 10));
}

TEST_CASE("source_window: of an empty source") {
  const counting_source from("");
  source_window window(from);
  CHECK(window.at(0, 1).empty());
  CHECK(from.reads == 0);
}
