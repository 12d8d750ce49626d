#include <ckpt/manager.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "../io/forked.hpp"
#include "../io/scratch.hpp"

using namespace ckpt;
using scratch::error_of;
using scratch::message_of;

namespace {

using names = std::vector<std::string>;
using network = std::vector<std::pair<std::string, std::vector<float>>>;

network at_step(std::uint64_t step) { return {{"w", {static_cast<float>(step), 1}}}; }

const async_options quick{.durability = durability::none};

/// A class of a user's that holds a manager.
struct trainer {
  checkpoint_manager<> manager;

  std::optional<checkpoint_report> run(std::uint64_t step, step_metrics metrics = {}) {
    return manager.save({.epoch = 1, .step = step, .metrics = std::move(metrics)}, at_step(step), {{"step", step}});
  }
};

std::string steps_of(const std::vector<checkpoint>& all) {
  std::string steps;
  for (const checkpoint& each : all) steps += (steps.empty() ? "" : " ") + std::to_string(each.step);
  return steps;
}

}  // namespace

TEST_CASE("checkpoint_manager: saves where the decision says so, and says what it did") {
  const scratch::directory here;
  trainer training{checkpoint_manager<>(here / "runs/net", {.prefix = "net", .decision = every_n_steps{2}})};
  CHECK(!training.manager.latest());
  CHECK(!training.manager.restore_latest());
  CHECK(!training.run(1));
  const auto report = training.run(2);
  REQUIRE(report);
  CHECK(report->saved.path == here / "runs/net/net-1_2.ckpt");
  CHECK(report->saved.bytes > 0);
  CHECK(report->deleted.empty());
  CHECK(report->errors.empty());
  CHECK(training.manager.should_save({.epoch = 2, .step = 4}));
  CHECK(!training.manager.should_save({.epoch = 2, .step = 5}));
  CHECK(training.manager.save_now({.epoch = 1, .step = 3}, at_step(3)).saved.path == here / "runs/net/net-1_3.ckpt");
  CHECK(training.manager.latest()->step == 3);
  CHECK(steps_of(training.manager.checkpoints()) == "2 3");
  const state_dict loaded = ckpt::load(report->saved.path);
  CHECK(loaded["step"].item<std::int64_t>() == 2);
}

TEST_CASE("checkpoint_manager: keeps what the preservation says, over a restart") {
  const scratch::directory here;
  const auto open = [&] {
    return checkpoint_manager<>(
        here.path(),
        {.prefix = "net", .preservation = any_of{latest_n{2}, best_n{1, "loss", best::smallest}}, .save = quick});
  };
  {
    trainer training{open()};
    for (std::uint64_t step = 1; step <= 4; ++step) training.run(step, {{"loss", step == 1 ? 0.5 : 2}});
    CHECK(steps_of(training.manager.checkpoints()) == "1 3 4");
  }
  trainer training{open()};
  const auto restored = training.manager.restore_latest();
  REQUIRE(restored);
  CHECK(restored->from.step == 4);
  CHECK(restored->model["w"].to_vector<float>()[0] == 4);
  const auto report = training.run(5, {{"loss", 1}});
  CHECK(report->deleted == names{here / "net-1_3.ckpt"});
  CHECK(steps_of(training.manager.checkpoints()) == "1 4 5");
  training.run(6, {{"loss", 0.25}});
  CHECK(steps_of(training.manager.checkpoints()) == "5 6");
}

TEST_CASE("checkpoint_manager: what has just been saved stays, even before what is newer and broken") {
  const scratch::directory here;
  scratch::put(here / "net-1_300.ckpt", "broken");
  trainer training{checkpoint_manager<>(here.path(), {.prefix = "net", .preservation = latest_n{1}, .save = quick})};
  CHECK(message_of<format_error>([&] { static_cast<void>(training.manager.restore_latest()); }) != "(nothing thrown)");
  training.run(200);
  training.run(250);
  CHECK(steps_of(training.manager.checkpoints()) == "250 300");
  const auto restored = training.manager.restore_latest();
  CHECK(restored->from.step == 250);
  CHECK(restored->skipped.size() == 1);
  training.run(300);
  CHECK(steps_of(training.manager.checkpoints()) == "300");
}

TEST_CASE("checkpoint_manager: a save that fails deletes nothing, and the next one is made") {
  const scratch::directory here;
  async_options options = quick;
  bool fails = false;
  options.progress = [&](progress) {
    if (fails) throw std::runtime_error("enough");
  };
  trainer training{checkpoint_manager<>(here.path(), {.prefix = "net", .preservation = latest_n{1}, .save = options})};
  training.run(1, {{"loss", 1}});
  fails = true;
  CHECK_THROWS_AS(training.run(2, {{"loss", 2}}), std::runtime_error);
  CHECK(steps_of(training.manager.checkpoints()) == "1");
  fails = false;
  training.run(3, {{"loss", 3}});
  CHECK(scratch::get(here / "net-metrics.json").find("net-1_2") == std::string::npos);
  CHECK(steps_of(training.manager.checkpoints()) == "3");
  CHECK(message_of<usage_error>([&] { training.run(4, {{"\xff", 1}}); }) == "the name of a metric is not UTF-8");
  CHECK(steps_of(training.manager.checkpoints()) == "3");
}

TEST_CASE("checkpoint_manager: every_n_seconds counts from the last save") {
  const scratch::directory here;
  trainer training{checkpoint_manager<>(here.path(), {.decision = every_n_seconds{0.05}, .save = quick})};
  const auto begun = std::chrono::steady_clock::now();
  std::uint64_t step = 1;
  while (!training.run(step)) ++step;
  CHECK(std::chrono::steady_clock::now() - begun >= std::chrono::milliseconds(45));
  CHECK(training.manager.latest()->path == here / "CKP-1_" + std::to_string(step) + ".ckpt");
  const auto saved = std::chrono::steady_clock::now();
  while (!training.run(step)) ++step;
  CHECK(std::chrono::steady_clock::now() - saved >= std::chrono::milliseconds(45));
}

TEST_CASE("checkpoint_manager: one at a time writes to a directory, others read") {
  const scratch::directory here;
  const std::string is_taken =
      here.path() + ": another checkpoint_manager writes to this directory (its lock is held by process ";
  const std::string advice = "): give each its own, or read with ckpt::restore_latest";
  {
    trainer training{checkpoint_manager<>(here.path(), {.prefix = "net", .save = quick})};
    training.run(1);
    const auto error = error_of<usage_error>([&] { checkpoint_manager<safetensors>(here.path(), {.prefix = "b"}); });
    CHECK(std::string(error.what()) == is_taken + std::to_string(::getpid()) + advice);
    CHECK(error.code() == errc::in_use);
    CHECK(restore_latest(here.path(), "net")->from.step == 1);
    const trainer moved = std::move(training);
    CHECK(error_of<usage_error>([&] { checkpoint_manager<>(here.path(), {}); }).code() == errc::in_use);
  }
  std::optional<checkpoint_manager<>> held;
  scratch::forked other([&](auto) { held.emplace(here.path()); });
  CHECK(message_of<usage_error>([&] { checkpoint_manager<>(here.path(), {}); }) ==
        is_taken + std::to_string(other.id()) + advice);
  other.kill();
  const checkpoint_manager<> mine(here.path());
}

TEST_CASE("checkpoint_manager: removes what a killed save has left, and nothing of one that lives") {
  const scratch::directory here;
  const auto open = [&] { checkpoint_manager<>(here.path(), {.prefix = "net"}); };
  const auto in_the_middle = [](auto done) {
    async_options options;
    options.progress = [done](progress) { done(); };
    return options;
  };
  scratch::forked manager([&](auto done) {
    checkpoint_manager<>(here.path(), {.prefix = "net", .save = in_the_middle(done)}).save({.step = 1}, at_step(1));
  });
  CHECK(error_of<usage_error>(open).code() == errc::in_use);
  CHECK(here.names().size() == 2);
  manager.kill();
  CHECK(here.names().size() == 2);
  open();
  CHECK(here.names() == names{".lock"});

  scratch::forked save(
      [&](auto done) { ckpt::save(at_step(2), here / "net-1_2", static_cast<save_options>(in_the_middle(done))); });
  open();
  CHECK(here.names().size() == 2);
  save.kill();
  open();
  CHECK(here.names() == names{".lock"});
}

TEST_CASE("checkpoint_manager: nothing is begun where something is wrong") {
  const scratch::directory here;
  CHECK(message_of<usage_error>([&] { checkpoint_manager<>(here / "a", {.prefix = "b/c"}); }) ==
        here / "a: the prefix \"b/c\" must be UTF-8, and neither empty nor hold a slash or NUL");
  CHECK(here.names().empty());
  scratch::put(here / "net-metrics.json", "");
  CHECK(message_of<format_error>([&] { checkpoint_manager<>(here.path(), {.prefix = "net"}); }) ==
        here /
            "net-metrics.json: JSON: expected '{', found the end of the text; to go on without these metrics, remove "
            "the file, at byte 0");
}

TEST_CASE("checkpoint_manager: files of another format, and of another prefix, are another's") {
  const scratch::directory here;
  for (const std::string_view name : {"net-1_1.ckpt", "net_1-1_1.safetensors", ".net-1_1.ckpt.0123456789abcdef.tmp"})
    scratch::put(here / name, "");
  scratch::put(here / ".net-1_1.safetensors.0123456789abcdef.tmp", "");
  checkpoint_manager<safetensors> manager(here.path(), {.prefix = "net", .preservation = latest_n{1}, .save = quick});
  manager.save({.epoch = 1, .step = 5}, at_step(5));
  manager.save({.epoch = 1, .step = 6}, at_step(6));
  CHECK(here.names() == names{".lock", ".net-1_1.ckpt.0123456789abcdef.tmp", "net-1_1.ckpt", "net-1_6.safetensors",
                              "net_1-1_1.safetensors"});
}

TEST_CASE("checkpoint_manager: of saves that are done together none deletes a later one") {
  const scratch::directory here;
  checkpoint_manager<> manager(here.path(),
                               {.prefix = "net", .preservation = best_n{1, "accuracy", best::largest}, .save = quick});
  for (std::uint64_t step = 1; step <= 3; ++step)
    manager.save_async({.epoch = 1, .step = step, .metrics = {{"accuracy", 1.0 / static_cast<double>(step)}}},
                       at_step(step));
  for (const checkpoint_report& report : manager.wait()) CHECK(report.errors.empty());
  CHECK(steps_of(manager.checkpoints()) == "1 3");
  CHECK(manager.discard_after({.epoch = 1, .step = 1}).deleted == names{here / "net-1_3.ckpt"});
  CHECK(steps_of(manager.checkpoints()) == "1");
}

TEST_CASE("checkpoint_manager: saves in the background, and deletes when the newer one is done") {
  const scratch::directory here;
  for (const async mode : {async::thread, async::process}) {
    async_options options = quick;
    options.mode = mode;
    checkpoint_manager<> manager(
        here / std::to_string(static_cast<int>(mode)),
        {.prefix = "net", .decision = every_n_steps{2}, .preservation = latest_n{2}, .save = options});
    network net = at_step(0);
    for (std::uint64_t step = 1; step <= 8; ++step) {
      net = at_step(step);
      CHECK(manager.save_async({.epoch = 1, .step = step}, net, {{"step", step}}) == (step % 2 == 0));
    }
    net = at_step(99);
    const std::vector<checkpoint_report> reports = manager.wait();
    REQUIRE(reports.size() == 4);
    std::size_t deleted = 0;
    for (const checkpoint_report& report : reports) {
      CHECK(report.errors.empty());
      deleted += report.deleted.size();
    }
    CHECK(deleted == 2);
    CHECK(steps_of(manager.checkpoints()) == "6 8");
    CHECK(manager.wait().empty());
    const auto restored = manager.restore_latest();
    REQUIRE(restored);
    CHECK(restored->model["step"].item<std::int64_t>() == 8);
    CHECK(restored->model["w"].to_vector<float>()[0] == 8);
  }
}

TEST_CASE("checkpoint_manager: what went wrong in the background is thrown by the next call, once") {
  const scratch::directory here;
  bool fails = false;  // read while a save runs, set while none does
  async_options options = quick;
  options.progress = [&](progress) {
    if (fails) throw std::runtime_error("stop");
  };
  checkpoint_manager<> manager(here.path(), {.prefix = "net", .preservation = latest_n{1}, .save = options});
  const network net = at_step(1);
  CHECK(manager.save_async({.step = 1}, net));
  CHECK(manager.wait().size() == 1);
  fails = true;
  CHECK(manager.save_async({.step = 2}, net));
  CHECK(message_of<std::runtime_error>([&] { manager.wait(); }) == "stop");
  CHECK(manager.wait().empty());
  CHECK(steps_of(manager.checkpoints()) == "1");
  CHECK(manager.save_async({.step = 2}, net));
  CHECK(manager.restore_latest()->from.step == 1);  // waits, and leaves what went wrong to others
  fails = false;
  CHECK(message_of<std::runtime_error>([&] { manager.save_async({.step = 3}, net); }) == "stop");
  CHECK(manager.wait().empty());
  CHECK(steps_of(manager.checkpoints()) == "1");
  CHECK(manager.save_async({.step = 3}, net));
  CHECK(manager.wait().size() == 1);
  CHECK(steps_of(manager.checkpoints()) == "3");
}

TEST_CASE("checkpoint_manager: what is being saved is discarded, too, and what went wrong with it said") {
  const scratch::directory here;
  std::atomic<bool> goes_on{false};
  std::atomic<bool> fails{false};
  async_options options{.durability = durability::none, .queue = save_queue()};
  options.progress = [&](progress) {
    while (!goes_on.load()) std::this_thread::yield();
    if (fails.load()) throw std::runtime_error("stop");
  };
  checkpoint_manager<> manager(here.path(), {.prefix = "net", .save = options});
  names later;
  for (std::uint64_t step = 1; step <= 8; ++step) {
    CHECK(manager.save_async({.step = step}, at_step(step)));
    if (step > 1) later.insert(later.begin(), here / "net-0_" + std::to_string(step) + ".ckpt");  // the newest first
  }
  goes_on.store(true);
  CHECK(manager.discard_after({.step = 1}).deleted == later);
  CHECK(steps_of(manager.checkpoints()) == "1");
  fails.store(true);
  CHECK(manager.save_async({.step = 2}, at_step(2)));
  CHECK(message_of<std::runtime_error>([&] { manager.discard_after({.step = 1}); }) == "stop");
}

TEST_CASE("checkpoint_manager: the file of metrics has the permissions of the checkpoints") {
  const scratch::directory here;
  async_options options = quick;
  for (const unsigned permissions : {0400U, 0640U}) {
    options.permissions = permissions;
    checkpoint_manager<> manager(here.path(), {.prefix = "net", .save = options});
    manager.save({.step = permissions, .metrics = {{"loss", 1}}}, at_step(1));
    CHECK(scratch::mode_of(here / "net-metrics.json") == permissions);
  }
}

TEST_CASE("checkpoint_manager: holds its lock until its saves are done") {
  const scratch::directory here;
  const network net = at_step(1);
  {
    async_options slow = quick;
    slow.progress = [](progress) { std::this_thread::yield(); };
    checkpoint_manager<> manager(here.path(), {.prefix = "net", .save = slow});
    for (std::uint64_t step = 1; step <= 3; ++step) CHECK(manager.save_async({.step = step}, net));
    checkpoint_manager<> moved = std::move(manager);
  }
  CHECK(steps_of(checkpoint_manager<>(here.path(), {.prefix = "net"}).checkpoints()) == "1 2 3");
}

TEST_CASE("checkpoint_manager: a save in the background keeps its metrics while the next one begins") {
  const scratch::directory here;
  std::atomic<bool> goes_on{false};
  async_options options{.durability = durability::none, .queue = save_queue()};
  options.progress = [&](progress) {
    while (!goes_on.load()) std::this_thread::yield();
  };
  checkpoint_manager<> manager(here.path(), {.prefix = "net", .save = options});
  for (std::uint64_t step = 1; step <= 2; ++step)
    CHECK(manager.save_async({.step = step, .metrics = {{"loss", static_cast<double>(step)}}}, at_step(step)));
  goes_on.store(true);
  CHECK(manager.wait().size() == 2);
  const auto all = manager.checkpoints();
  REQUIRE(all.size() == 2);
  CHECK(all[0].metrics == step_metrics{{"loss", 1}});
  CHECK(all[1].metrics == step_metrics{{"loss", 2}});
}

TEST_CASE("checkpoint_manager: a file whose replacement failed has its metrics again, and is preserved by them") {
  for (const bool is_waited_for : {true, false}) {
    CAPTURE(is_waited_for);
    const scratch::directory here;
    std::atomic<bool> fails{false};
    async_options options = quick;
    options.progress = [&](progress) {
      if (fails.load()) throw std::runtime_error("enough");
    };
    checkpoint_manager<> manager(
        here.path(), {.prefix = "net", .preservation = best_n{1, "accuracy", best::largest}, .save = options});
    const auto save = [&](std::uint64_t step, double accuracy) {
      const training_step now{.epoch = 1, .step = step, .metrics = {{"accuracy", accuracy}}};
      if (is_waited_for) {
        manager.save(now, at_step(step));
      } else {
        manager.save_async(now, at_step(step));
        manager.wait();
      }
    };
    save(1, 0.9);
    fails.store(true);
    CHECK_THROWS_AS(save(1, 0.1), std::runtime_error);
    fails.store(false);
    CHECK(manager.checkpoints().front().metrics == step_metrics{{"accuracy", 0.9}});
    save(2, 0.3);
    save(3, 0.5);
    CHECK(steps_of(manager.checkpoints()) == "1 3");
    save(1, 0.2);  // and one that does not fail has its own
    CHECK(manager.checkpoints().front().metrics == step_metrics{{"accuracy", 0.2}});
  }
}

TEST_CASE("checkpoint_manager: a file whose replacement did not even begin has its metrics again") {
  const scratch::directory here;
  async_options options = quick;
  options.staging = staging_pool(16);  // less than any snapshot takes
  checkpoint_manager<> manager(here.path(), {.prefix = "net", .save = options});
  manager.save({.epoch = 1, .step = 1, .metrics = {{"accuracy", 0.9}}}, at_step(1));
  CHECK_THROWS_AS(manager.save_async({.epoch = 1, .step = 1, .metrics = {{"accuracy", 0.1}}}, at_step(1)), usage_error);
  CHECK(manager.checkpoints().front().metrics == step_metrics{{"accuracy", 0.9}});
}

TEST_CASE("checkpoint_manager: restore_latest sees what this manager is saving") {
  const scratch::directory here;
  checkpoint_manager<> manager(here.path(), {.prefix = "net", .save = quick});
  for (std::uint64_t step = 1; step <= 3; ++step) {
    manager.save_async({.epoch = 1, .step = step}, at_step(step));
    const auto restored = manager.restore_latest();
    REQUIRE(restored);
    CHECK(restored->from.step == step);
  }
}

TEST_CASE("checkpoint_manager: what is discarded does not come back by a process that has outlived its parent") {
  const scratch::directory here;
  scratch::put(here / ".net-1_300.ckpt.0123456789abcdef.tmp", "");
  scratch::put(here / ".net-1_200.ckpt.0123456789abcdef.tmp", "");
  scratch::put(here / ".other-1_300.ckpt.0123456789abcdef.tmp", "");
  checkpoint_manager<> manager(here.path(), {.prefix = "net", .save = quick});
  for (const char* const name : {".net-1_300.ckpt.0123456789abcdef.tmp", ".net-1_200.ckpt.0123456789abcdef.tmp"})
    scratch::put(here / name, "");  // as if it lived, and had not been removed by the constructor
  manager.save({.epoch = 1, .step = 250}, at_step(250));
  CHECK(manager.discard_after({.epoch = 1, .step = 200}).deleted == names{here / "net-1_250.ckpt"});
  CHECK(here.names() ==
        names{".lock", ".net-1_200.ckpt.0123456789abcdef.tmp", ".other-1_300.ckpt.0123456789abcdef.tmp"});
}

TEST_CASE("checkpoint_manager: of two saves of one step the file has the metrics it was saved with") {
  const scratch::directory here;
  std::atomic<int> failing{0};
  async_options options = quick;
  options.queue = save_queue();
  options.progress = [&](progress) {
    if (failing.load() == 0) return;
    --failing;
    throw std::runtime_error("enough");
  };
  checkpoint_manager<> manager(here.path(), {.prefix = "net", .save = options});
  int told = 0;
  const auto begin = [&](double loss) {
    const training_step now{.epoch = 1, .step = 1, .metrics = {{"loss", loss}}};
    for (bool begun = false; !begun;) {
      try {
        begun = manager.save_async(now, at_step(1));
      } catch (const std::runtime_error&) {  // of the one before, where that is done already
        ++told;
      }
    }
  };
  const auto end = [&] {
    for (;;) {
      try {
        return manager.wait().size();
      } catch (const std::runtime_error&) {
        ++told;
      }
    }
  };
  const auto metrics = [&] { return manager.checkpoints().front().metrics; };
  begin(0.1);
  begin(0.2);
  CHECK(end() == 2);
  CHECK(metrics() == step_metrics{{"loss", 0.2}});
  failing = 2;
  begin(0.5);
  begin(0.7);
  CHECK(end() == 0);
  CHECK(told == 2);
  CHECK(metrics() == step_metrics{{"loss", 0.2}});
  failing = 1;
  begin(0.3);
  begin(0.4);
  CHECK(end() == 1);
  CHECK(told == 3);
  CHECK(metrics() == step_metrics{{"loss", 0.4}});
  begin(0.6);
  failing = 0;
  CHECK(manager.save_now({.epoch = 1, .step = 1}, at_step(1)).errors.empty());
  CHECK(metrics().empty());
}
