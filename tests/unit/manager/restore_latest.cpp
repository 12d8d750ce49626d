#include <ckpt/manager/restore_latest.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <ckpt/checkpoint/save.hpp>
#include <ckpt/format/safetensors.hpp>

#include "../checksum/own_checksum.hpp"
#include "../io/scratch.hpp"

using namespace ckpt;
using scratch::message_of;

namespace {

template <class... Policies>
void save_steps(const scratch::directory& here, std::uint64_t last) {
  for (std::uint64_t step = 1; step <= last; ++step) {
    const std::vector<std::pair<std::string, std::vector<float>>> net{{"w", {static_cast<float>(step), 0, 0, 0}}};
    ckpt::save<Policies...>(net, here / "net-1_" + std::to_string(step),
                            {.durability = durability::none, .permissions = 0600});
  }
}

/// Changes the last byte of the last tensor, of a file without a checksum, or cuts it off.
void spoil(const std::string& path, std::size_t from_end) {
  std::string content = scratch::get(path);
  content[content.size() - from_end] = static_cast<char>(content[content.size() - from_end] ^ 1);
  scratch::put(path, content);
}
void cut(const std::string& path) {
  const std::string content = scratch::get(path);
  scratch::put(path, content.substr(0, content.size() - 1));
}

float first_of(const restored_checkpoint& restored) { return restored.model["w"].to_vector<float>()[0]; }

}  // namespace

TEST_CASE("restore_latest: nothing where there is nothing") {
  const scratch::directory here;
  CHECK(!restore_latest(here.path(), "net"));
  CHECK(find_checkpoints(here.path(), "net").empty());
  CHECK(message_of<io_error>([&] { static_cast<void>(restore_latest(here / "no", "net")); }) ==
        here / "no: cannot list the directory: No such file or directory");
}

TEST_CASE("restore_latest: the newest, with its metrics") {
  const scratch::directory here;
  save_steps(here, 3);
  scratch::put(here / "net-metrics.json", R"({"net-1_3.ckpt": {"loss": 0.5}})");
  const auto restored = restore_latest(here.path(), "net");
  REQUIRE(restored);
  CHECK(restored->from.path == here / "net-1_3.ckpt");
  CHECK(restored->from.step == 3);
  CHECK(restored->from.metrics == step_metrics{{"loss", 0.5}});
  CHECK(restored->skipped.empty());
  CHECK(first_of(*restored) == 3);
  CHECK(find_checkpoints(here.path(), "net").size() == 3);
}

TEST_CASE("restore_latest: the format's files alone") {
  const scratch::directory here;
  save_steps(here, 2);
  save_steps<safetensors>(here, 1);
  CHECK(restore_latest<safetensors>(here.path(), "net")->from.path == here / "net-1_1.safetensors");
  CHECK(find_checkpoints<safetensors>(here.path(), "net").size() == 1);
}

TEST_CASE("restore_latest: passes over newer files that are broken, and says why") {
  const scratch::directory here;
  save_steps(here, 4);
  scratch::put(here / "net-1_4.ckpt", "");
  cut(here / "net-1_3.ckpt");
  scratch::put(here / "net-metrics.json", "not JSON");
  const auto restored = restore_latest(here.path(), "net", {.read = read::copy});
  REQUIRE(restored);
  CHECK(first_of(*restored) == 2);
  REQUIRE(restored->skipped.size() == 3);
  CHECK(restored->skipped[0].path() == here / "net-metrics.json");
  CHECK(restored->skipped[1].path() == here / "net-1_4.ckpt");
  CHECK(std::string(restored->skipped[1].what()) == here / "net-1_4.ckpt: is empty: it was not written to its end");
  CHECK(restored->skipped[2].path() == here / "net-1_3.ckpt");
}

TEST_CASE("restore_latest: a checksum shows what the structure does not") {
  const scratch::directory here;
  save_steps<support::adler32>(here, 2);
  spoil(here / "net-1_2.ckpt", 18);
  CHECK(restore_latest(here.path(), "net")->from.step == 2);
  const auto restored = restore_latest<support::adler32>(here.path(), "net");
  CHECK(restored->from.step == 1);
  REQUIRE(restored->skipped.size() == 1);
  CHECK(restored->skipped[0].code() == errc::checksum);
}

TEST_CASE("restore_latest: where none loads, the newest one's error") {
  const scratch::directory here;
  save_steps(here, 2);
  cut(here / "net-1_2.ckpt");
  cut(here / "net-1_1.ckpt");
  CHECK(scratch::error_of<format_error>([&] { static_cast<void>(restore_latest(here.path(), "net")); }).path() ==
        here / "net-1_2.ckpt");
}

TEST_CASE("restore_latest: a wrong call is no broken file") {
  const scratch::directory here;
  save_steps(here, 2);
  const secret_key key = secret_key::from_text("a key of 16 byte");
  CHECK(scratch::error_of<usage_error>([&] {
          static_cast<void>(restore_latest(here.path(), "net", {.key = key}));
        }).code() == errc::key);
  scratch::put(here / "net-1_3.ckpt", "");  // what is broken and newer does not hide it
  CHECK(scratch::error_of<usage_error>([&] {
          static_cast<void>(restore_latest(here.path(), "net", {.key = key}));
        }).code() == errc::key);
}

TEST_CASE("restore_latest: a writer that deletes what has just been listed takes nothing away") {
  const scratch::directory here;
  save_steps(here, 1);
  std::atomic<bool> is_done{false};
  std::thread writer([&] {
    for (std::uint64_t step = 2; step <= 400; ++step) {
      const std::vector<std::pair<std::string, std::vector<float>>> net{{"w", {static_cast<float>(step)}}};
      ckpt::save(net, here / "net-1_" + std::to_string(step), {.durability = durability::none});
      std::filesystem::remove(here / "net-1_" + std::to_string(step - 1) + ".ckpt");
    }
    is_done = true;
  });
  std::size_t skipped = 0;
  std::size_t missed = 0;
  std::string thrown;
  while (!is_done) {
    try {
      const auto restored = restore_latest(here.path(), "net");
      missed += restored ? 0u : 1u;
      if (restored) skipped += restored->skipped.size();
    } catch (const error& e) {
      thrown = e.what();
    }
  }
  writer.join();
  CHECK(thrown.empty());
  CHECK(missed == 0);
  CHECK(skipped == 0);
}
