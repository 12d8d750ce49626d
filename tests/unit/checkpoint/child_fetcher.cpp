#include <ckpt/checkpoint/child_fetcher.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <ckpt/checkpoint/save_async.hpp>
#include <ckpt/io/atomic_file.hpp>

#include "../io/scratch.hpp"
#include "../support.hpp"

using namespace ckpt;

namespace {

/// How many threads a saving process has while it writes so many bytes.
int threads_that_write(std::uint64_t size) {
  const scratch::directory here;
  atomic_file file(here / "f", size, {.room = reservation::later});
  child_process child(file.descriptors(), "f", [&](const child_channel&) {
    const detail::read_ahead ahead(file, &detail::child_fetcher::start);
    child_channel::leave(support::threads_of_this_process());
  });
  return child.wait().number;
}

}  // namespace

TEST_CASE("child_fetcher: a saving process has a second thread for a large file") {
  CHECK(threads_that_write(executor::large_file - 1) == 1);
  CHECK(threads_that_write(executor::large_file) == (child_process::has_sanitizer() ? 1 : 2));
}

TEST_CASE("child_fetcher: one thread or two, a saving process writes the same bytes") {
  std::map<std::string, std::vector<std::uint32_t>> net;
  for (const std::size_t size : {std::size_t{1}, std::size_t{70'000}, std::size_t{5'000'001}})
    for (std::uint32_t i = 0; i < size; ++i) net[std::to_string(size)].push_back(i * 2654435761U);
  const scratch::directory here;
  const std::string expected = scratch::text(save_bytes(net));
  for (const unsigned threads : {1U, 2U}) {
    const save_report report = save_async(net, here / "net", {.threads = threads, .mode = async::process}).get();
    CHECK(report.bytes == expected.size());
    CHECK(scratch::get(here / "net.ckpt") == expected);
  }
}
