#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include <ckpt/async.hpp>

#include "../unit/checkpoint/held_queue.hpp"
#include "../unit/io/scratch.hpp"
#include "model.hpp"
#include "processes.hpp"
#include "target.hpp"

// How a save in the background ends that does not end well: it is cancelled, stalls or is killed.

namespace {

using scratch::message_of;
constexpr std::size_t large = std::size_t{8} << 20;  // in elements: more than one piece of writing
constexpr ckpt::async modes[] = {ckpt::async::thread, ckpt::async::process, ckpt::async::borrow};

ckpt::async_options options_of(ckpt::async mode, std::int32_t seed) {
  return {.append = {{"seed", seed}}, .durability = ckpt::durability::none, .permissions = 0600, .mode = mode};
}

/// The one saving process there is.
pid_t saving_process() {
  const std::vector<processes::child> all = processes::children();
  if (all.size() != 1) throw std::runtime_error("there are " + std::to_string(all.size()) + " children");
  return all[0].pid;
}

bool has_state(pid_t pid, char state) {
  for (const processes::child& each : processes::children())
    if (each.pid == pid) return each.state == state;
  return false;
}

/// Stops the one saving process there is.
void stop_saving_process() {
  const pid_t pid = saving_process();
  ::kill(pid, SIGSTOP);
  processes::wait_until("the saving process has stopped", [&] { return has_state(pid, 'T'); });
}

}  // namespace

TEST_CASE("endings: cancelled while it waits for its turn: the old file, and nothing beside it") {
  for (const ckpt::async mode : modes) {
    const target file;
    model net(small, 2);
    const scratch::directory other;
    held_queue held(other / "held");
    ckpt::async_options options = options_of(mode, 2);
    options.queue = held.queue();
    ckpt::save_job job = ckpt::save_async(net, file.path, std::move(options));
    CHECK_FALSE(job.done());
    job.cancel();
    CHECK_FALSE(job.done());
    held.let_go();
    CHECK(scratch::error_of<ckpt::job_error>([&] { (void)job.get(); }).code() == ckpt::errc::cancelled);
    CHECK(message_of<ckpt::job_error>([&] { (void)job.get(); }) ==
          file.path + ": the save was cancelled; the file is as it was");
    CHECK(file.is_old());
    CHECK(file.is_alone());
    CHECK(processes::children().empty());
  }
}

TEST_CASE("endings: cancelled in the middle of writing: the old file, and nothing beside it") {
  for (const ckpt::async mode : modes) {
    const target file;
    model net(large, 2);
    std::atomic<bool> is_in_the_middle{false};
    std::atomic<bool> is_cancelled{false};
    ckpt::async_options options = options_of(mode, 2);
    options.durability = ckpt::durability::full;
    options.progress = [&](ckpt::progress) {
      if (is_in_the_middle) return;
      if (mode == ckpt::async::process) stop_saving_process();
      is_in_the_middle = true;
      is_in_the_middle.notify_all();
      is_cancelled.wait(false);
    };
    ckpt::save_job job = ckpt::save_async(net, file.path, std::move(options));
    is_in_the_middle.wait(false);
    CHECK(file.here.names().size() == 2);
    job.cancel();
    is_cancelled = true;
    is_cancelled.notify_all();
    CHECK(scratch::error_of<ckpt::job_error>([&] { (void)job.get(); }).code() == ckpt::errc::cancelled);
    CHECK(file.is_old());
    CHECK(file.is_alone());
    CHECK(processes::children().empty());
  }
}

TEST_CASE("endings: cancelled after its end: nothing happens") {
  for (const ckpt::async mode : modes) {
    const target file;
    model net(small, 2);
    ckpt::save_job job = ckpt::save_async(net, file.path, options_of(mode, 2));
    job.wait();
    job.cancel();
    CHECK(job.get().bytes > 0);
    CHECK(model::is_in(ckpt::load(file.path), 2, small));
    CHECK(file.is_alone());
  }
}

TEST_CASE("endings: stopped when its process has put the file in place, but before that is known") {
  for (const bool is_thrown : {false, true}) {
    const target file;
    model net(small, 2);
    std::atomic<bool> has_ended{false};
    std::atomic<bool> is_cancelled{false};
    ckpt::async_options options = options_of(ckpt::async::process, 2);
    options.progress = [&](ckpt::progress) {
      const pid_t pid = saving_process();
      processes::wait_until("the saving process has ended", [&] { return has_state(pid, 'Z'); });
      has_ended = true;
      has_ended.notify_all();
      if (is_thrown) throw std::runtime_error("enough");
      is_cancelled.wait(false);
    };
    ckpt::save_job job = ckpt::save_async(net, file.path, std::move(options));
    has_ended.wait(false);
    if (is_thrown) {
      CHECK(message_of<std::runtime_error>([&] { (void)job.get(); }) == "enough");
    } else {
      job.cancel();
      is_cancelled = true;
      is_cancelled.notify_all();
      CHECK(job.get().bytes > 0);
      CHECK_FALSE(job.get().is_durable);
    }
    CHECK(model::is_in(ckpt::load(file.path), 2, small));
    CHECK(file.is_alone());
    CHECK(processes::children().empty());
  }
}

TEST_CASE("endings: a process that makes no progress is killed after its deadline") {
  for (const bool has_begun : {false, true}) {
    const target file;
    model net(large, 2);
    const scratch::directory other;
    held_queue held(other / "held");
    ckpt::async_options options = options_of(ckpt::async::process, 2);
    options.durability = ckpt::durability::full;
    options.deadline = std::chrono::milliseconds(50);
    options.queue = held.queue();
    bool is_stopped = false;
    if (has_begun) {
      options.progress = [&](ckpt::progress) {
        if (!std::exchange(is_stopped, true)) stop_saving_process();
      };
    }
    ckpt::save_job job = ckpt::save_async(net, file.path, std::move(options));
    if (!has_begun) stop_saving_process();
    CHECK_FALSE(job.wait_for(std::chrono::milliseconds(200)));  // waiting for its turn is no stalling
    CHECK(processes::children().size() == 1);
    held.let_go();
    CHECK(message_of<ckpt::job_error>([&] { (void)job.get(); }) ==
          file.path + ": the saving process made no progress for 50 ms and was killed; the file is as it was");
    CHECK(scratch::error_of<ckpt::job_error>([&] { (void)job.get(); }).code() == ckpt::errc::stalled);
    CHECK(file.is_old());
    CHECK(file.is_alone());
    CHECK(processes::children().empty());
  }
}

TEST_CASE("endings: without a deadline a process that was stopped goes on when it is woken") {
  const target file;
  model net(small, 2);
  ckpt::async_options options = options_of(ckpt::async::process, 2);
  options.deadline = std::chrono::milliseconds(0);
  const scratch::directory other;
  held_queue held(other / "held");
  options.queue = held.queue();
  ckpt::save_job job = ckpt::save_async(net, file.path, std::move(options));
  stop_saving_process();
  const pid_t pid = saving_process();
  held.let_go();
  CHECK_FALSE(job.wait_for(std::chrono::milliseconds(100)));
  ::kill(pid, SIGCONT);
  CHECK(job.get().bytes > 0);
  CHECK(model::is_in(ckpt::load(file.path), 2, small));
}

TEST_CASE("endings: killed by somebody else: an error that says so") {
  const target file;
  model net(small, 2);
  const scratch::directory other;
  held_queue held(other / "held");
  ckpt::async_options options = options_of(ckpt::async::process, 2);
  options.queue = held.queue();
  ckpt::save_job job = ckpt::save_async(net, file.path, std::move(options));
  ::kill(saving_process(), SIGKILL);
  held.let_go();
  CHECK(message_of<ckpt::job_error>([&] { (void)job.get(); }) ==
        file.path + ": the saving process was killed by signal 9 (Killed); the file is as it was");
  CHECK(file.is_old());
  CHECK(file.is_alone());
}

TEST_CASE("endings: what is appended lives as long as a save needs it") {
  const std::string note(1000, 'n');
  for (const ckpt::async mode : modes) {
    const scratch::directory here;
    held_queue held(here / "held");
    model net(small, 2);
    ckpt::async_options options = options_of(mode, 2);
    options.append.add("note", note);
    ckpt::tensor given(ckpt::dtype::float32, {500});
    for (float& each : given.as<float>()) each = 3;
    options.append.add("given", std::move(given));
    options.queue = held.queue();
    ckpt::save_job job = ckpt::save_async(net, here / "a", std::move(options));
    const std::vector<std::string> others(100, std::string(1000, 'x'));  // where it may have been
    held.let_go();
    const ckpt::state_dict file = ckpt::load(job.get().path);
    CHECK(file["note"].text() == note);
    CHECK(file["given"].to_vector<float>() == std::vector<float>(500, 3));
    CHECK(file["seed"].item<std::int64_t>() == 2);
  }
}
