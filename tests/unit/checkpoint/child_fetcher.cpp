#include <ckpt/checkpoint/child_fetcher.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <sched.h>

#include <ckpt/checkpoint/save.hpp>
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

/// Whether a thread of this process only runs where a core is idle. It would end only there, too, and the process with
/// it: where other threads have all cores, a minute late.
bool waits_for_an_idle_core() {
  bool waits = false;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task"))
    waits = waits || ::sched_getscheduler(std::stoi(task.path().filename().string())) == SCHED_IDLE;
  return waits;
}

}  // namespace

TEST_CASE("child_fetcher: no thread of a saving process waits for an idle core, nor of a plain save") {
  std::map<std::string, std::vector<std::uint8_t>> net{
      {"w", std::vector<std::uint8_t>(static_cast<std::size_t>(executor::large_file))}};
  const scratch::directory here;
  bool waits = false;
  save(net, here / "net", {.progress = [&](progress) { waits = waits || waits_for_an_idle_core(); }, .threads = 2});
  CHECK(!waits);
  atomic_file file(here / "f", executor::large_file, {.room = reservation::later});
  child_process child(file.descriptors(), "f", [&](const child_channel&) {
    detail::read_ahead ahead(file, &detail::child_fetcher::start);
    ahead.write(std::as_bytes(std::span(net.at("w"))));
    child_channel::leave(waits_for_an_idle_core() ? 1 : 0);  // no other thread of the tests may hold a lock here
  });
  CHECK(child.wait().is_success());
}

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
