#include <ckpt/checkpoint/save_async.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <coroutine>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <ckpt/checkpoint/inspect.hpp>
#include <ckpt/checkpoint/load.hpp>
#include <ckpt/checkpoint/reader.hpp>
#include <ckpt/format/safetensors.hpp>
#include <ckpt/model/parameter.hpp>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../io/forked.hpp"
#include "../io/scratch.hpp"
#include "../support.hpp"
#include "held_queue.hpp"

using namespace ckpt;
using scratch::get;
using scratch::message_of;

namespace {

using names = std::vector<std::string>;
using map = std::map<std::string, tensor>;

constexpr async modes[] = {async::thread, async::process, async::borrow};
constexpr async snapshots[] = {async::thread, async::process};

async_options quick(async mode) { return {.durability = durability::none, .mode = mode}; }

/// Small and large, gathered and empty, and text.
struct net {
  std::vector<float> small = {1, 2, 3};
  std::vector<std::uint8_t> large = std::vector<std::uint8_t>(20 << 20, 1);
  std::vector<std::int32_t> grid = {1, 2, 3, 4, 5, 6};
  std::vector<double> none;
  std::string text = "before";

  template <class Visitor>
  void visit_parameters(Visitor&& visit) const {
    visit("small", small);
    visit("large", large);
    visit("grid", tensor_view::strided(dtype::int32, {3, 2}, grid.data(), {1, 3}));
    visit("none", none);
    visit("text", text);
  }

  void change() {
    small.assign(3, 9);
    std::fill(large.begin(), large.end(), std::uint8_t{9});
    grid.assign(6, 9);
    text = "after!";
  }
};

float value_of(const std::string& path, std::size_t element = 0) {
  const state_dict loaded = load(path);
  return loaded["a"].to_vector<float>().at(element);
}

const map one{{"a", tensor({2}, {1.0F, 2.0F})}};

const std::string called_there = "; this is called on the thread of a queue of saves, which must not wait for them";

}  // namespace

TEST_CASE("save_async: writes what save writes, in every mode and format") {
  const net saved;
  for (const async mode : modes) {
    const scratch::directory here;
    save(saved, here / "sync", {.append = {{"epoch", 3}}, .align = 64, .durability = durability::none});
    async_options options = quick(mode);
    options.append = {{"epoch", 3}};
    options.align = 64;
    const save_report report = save_async(saved, here / "a", options).get();
    CHECK(report.path == here / "a.ckpt");
    CHECK(report.bytes == get(here / "sync.ckpt").size());
    CHECK(!report.is_durable);
    CHECK(!report.is_sealed);
    CHECK(!report.has_checksum);
    CHECK(report.seconds_planned > 0);
    CHECK(report.seconds_staged > 0);
    CHECK(report.seconds_written > 0);
    CHECK(report.seconds_synced > 0);
    CHECK((get(here / "a.ckpt") == get(here / "sync.ckpt")));
    CHECK(scratch::mode_of(here / "a.ckpt") == 0400);

    const map plain{{"a", tensor({2}, {1.0F, 2.0F})}, {"b", tensor(dtype::bfloat16, {0, 3})}};
    const save_report waited = save<safetensors>(plain, here / "sync", {.metadata = {{"k", "v"}}});
    async_options other = quick(mode);
    other.metadata = {{"k", "v"}};
    other.permissions = 0640;
    other.durability = durability::full;
    CHECK(save_async<safetensors>(plain, here / "a", other).get().is_durable == waited.is_durable);
    CHECK(get(here / "a.safetensors") == get(here / "sync.safetensors"));
    CHECK(scratch::mode_of(here / "a.safetensors") == 0640);
    CHECK(here.names() == names{"a.ckpt", "a.safetensors", "sync.ckpt", "sync.safetensors"});
  }
}

TEST_CASE("save_async: what is saved may change at once") {
  for (const async mode : snapshots) {
    const scratch::directory here;
    net saved;
    save(saved, here / "before", {.durability = durability::none});
    held_queue held(here / "blocker");  // so that it cannot have been written meanwhile
    async_options options = quick(mode);
    options.queue = held.queue();
    save_job job = save_async(saved, here / "a", options);
    CHECK(job.staged());
    CHECK(!job.done());
    saved.change();
    held.let_go();
    job.wait();
    CHECK((get(here / "a.ckpt") == get(here / "before.ckpt")));
  }
}

TEST_CASE("save_async: borrows until it is done") {
  const scratch::directory here;
  held_queue held(here / "blocker");
  async_options options = quick(async::borrow);
  options.queue = held.queue();
  map mine{{"a", tensor({1}, {1.0F})}};
  save_job job = save_async(mine, here / "a", options);
  CHECK(!job.staged());
  mine.at("a").bytes()[3] = std::byte{0x40};  // 1 becomes 4: nobody has copied it
  held.let_go();
  job.wait();
  CHECK(job.staged());
  CHECK(value_of(here / "a.ckpt") == 4.0F);
}

TEST_CASE("save_async: choose, duplicates, and progress of its own thread") {
  for (const async mode : modes) {
    const scratch::directory here;
    async_options options = quick(mode);
    std::vector<progress> seen;
    std::atomic<bool> elsewhere{true};
    options.choose = [](std::string_view name) { return name != "small"; };
    options.duplicates = duplicates::keep_last;
    options.append = {{"epoch", 3}, {"epoch", 4}};
    options.progress = [&, here_id = std::this_thread::get_id()](progress p) {
      seen.push_back(p);
      elsewhere = elsewhere && std::this_thread::get_id() != here_id;
    };
    const net saved;
    save_job job = save_async(saved, here / "a", options);
    const save_report report = job.get();
    CHECK(job.progress().done == report.bytes);
    CHECK(job.progress().total == report.bytes);
    CHECK(elsewhere);
    REQUIRE(!seen.empty());
    bool grows = true;
    for (std::size_t i = 0; i < seen.size(); ++i)
      grows = grows && seen[i].total == report.bytes && (i == 0 || seen[i].done > seen[i - 1].done);
    CHECK(grows);
    const state_dict loaded = load(here / "a.ckpt");
    CHECK(!loaded.contains("small"));
    CHECK(loaded["epoch"].item<std::int64_t>() == 4);
  }
}

// Errors.

TEST_CASE("save_async: a call that makes no sense is refused at once") {
  const scratch::directory here;
  const std::vector<parameter> list{{"w", tensor(dtype::float8_e4m3, {2})}};
  for (const async mode : modes) {
    CHECK(message_of<usage_error>([&] { (void)save_async(list, here / "a", quick(mode)); }) ==
          here / "a.ckpt" +
              ": tensor \"w\": a ckpt file cannot hold float8_e4m3; save it as safetensors, or convert it first");
    CHECK(message_of<usage_error>([&] { (void)save_async(one, "", quick(mode)); }) == "the path to write to is empty");
  }
  CHECK(message_of<usage_error>([&] { (void)save_async(map{}, here / "a", quick(async::borrow)); }) ==
        here / "a.ckpt" + ": a temporary cannot be borrowed by a save that goes on without it: keep it in a variable");
  CHECK(here.names().empty());
}

TEST_CASE("save_async: what goes wrong with the file is the job's to tell, as often as it is asked") {
  const scratch::directory here;
  const std::string expected =
      here / "none/a.ckpt" + ": cannot open the directory \"" + here / "none" + "\": No such file or directory";
  for (const async mode : modes) {
    save_job job = save_async(one, here / "none/a", quick(mode));
    CHECK(message_of<io_error>([&] { (void)job.get(); }) == expected);
    CHECK(message_of<io_error>([&] { (void)job.get(); }) == expected);
    CHECK(job.done());
  }
}

TEST_CASE("save_async: an error in a saving process comes with the path and the cause") {
  const scratch::directory here;
  std::filesystem::create_directory(here / "sub");
  for (const async mode : modes) {
    scratch::put(here / "sub/a.ckpt", "old");
    held_queue held(here / "blocker");
    async_options options = quick(mode);
    options.queue = held.queue();
    save_job job = save_async(one, here / "sub/a", options);
    // The temporary file goes away: there is nothing to be renamed.
    for (const auto& entry : std::filesystem::directory_iterator(here / "sub"))
      if (entry.path().extension() == ".tmp") std::filesystem::remove(entry.path());
    held.let_go();
    const auto error = support::error_of<io_error>([&] { (void)job.get(); });
    CHECK(error.what() == here / "sub/a.ckpt" + ": cannot rename the temporary file to it: No such file or directory");
    CHECK(error.path() == here / "sub/a.ckpt");
    CHECK(error.cause() == std::errc::no_such_file_or_directory);
    CHECK(get(here / "sub/a.ckpt") == "old");
  }
}

TEST_CASE("save_async: a callback that throws ends the save, the old file whole, and get throws the same") {
  const net saved;
  for (const async mode : modes) {
    const scratch::directory here;
    scratch::put(here / "a.ckpt", "old");
    async_options options = quick(mode);
    options.progress = [](progress) { throw std::runtime_error("stop"); };
    save_job job = save_async(saved, here / "a", options);
    CHECK(message_of<std::runtime_error>([&] { (void)job.get(); }) == "stop");
    if (mode != async::process) CHECK(get(here / "a.ckpt") == "old");
    CHECK(here.names() == names{"a.ckpt"});
  }
}

TEST_CASE("save_async: an error that nobody asked for reaches the handler") {
  const scratch::directory here;
  for (const async mode : modes) {
    std::string told;
    {
      const held_queue held(here / "blocker");
      async_options options = quick(mode);
      options.on_error = [&](const std::exception& error) { told = error.what(); };
      options.queue = held.queue();
      (void)save_async(one, here / "none/a", options);  // dropped before it is done
    }
    CHECK(told.find("none/a.ckpt: cannot open the directory") != std::string::npos);
    told.clear();
    {
      async_options options = quick(mode);
      options.on_error = [&](const std::exception& error) { told = error.what(); };
      const save_job job = save_async(one, here / "none/a", options);
      job.wait();
      CHECK(told.empty());
    }  // dropped when it is done
    CHECK(told.find("none/a.ckpt: cannot open the directory") != std::string::npos);
    told.clear();
    {
      async_options options = quick(mode);
      options.on_error = [&](const std::exception& error) { told = error.what(); };
      save_job job = save_async(one, here / "none/a", options);
      CHECK_THROWS_AS((void)job.get(), io_error);
    }
    CHECK(told.empty());
  }
}

TEST_CASE("save_async: a job that is put in place of another drops that") {
  const scratch::directory here;
  std::string told;
  async_options options = quick(async::thread);
  options.on_error = [&](const std::exception& error) { told = error.what(); };
  save_job job = save_async(one, here / "none/a", options);
  job.wait();
  CHECK(told.empty());
  job = save_async(one, here / "b", options);
  CHECK(told.find("none/a.ckpt: cannot open the directory") != std::string::npos);
  CHECK(job.get().path == here / "b.ckpt");
}

TEST_CASE("save_async: without a handler such an error is one line on stderr") {
  const scratch::directory here;
  const int before = ::dup(STDERR_FILENO);
  const int file = ::open((here / "stderr").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  REQUIRE(::dup2(file, STDERR_FILENO) == STDERR_FILENO);
  {
    const save_job job = save_async(one, here / "none/a", quick(async::thread));
    job.wait();
  }
  ::dup2(before, STDERR_FILENO);
  ::close(before);
  ::close(file);
  CHECK(get(here / "stderr") == "ckpt: a save in the background failed: " + here / "none/a.ckpt" +
                                    ": cannot open the directory \"" + here / "none" +
                                    "\": No such file or directory\n");
}

TEST_CASE("save_async: at the end of a process its saves are finished first") {
  const net saved;
  for (const async mode : modes) {
    const scratch::directory here;
    const pid_t process = ::fork();
    if (process == 0) {
      ::close(STDOUT_FILENO);  // what waits to be printed there is the parent's
      for (int i = 0; i < 3; ++i) (void)save_async(saved, here / std::to_string(i), quick(mode));
      std::exit(0);
    }
    int status = -1;
    CHECK(::waitpid(process, &status, 0) == process);
    CHECK(status == 0);
    CHECK(here.names() == names{"0.ckpt", "1.ckpt", "2.ckpt"});
  }
}

// Cancelling.

TEST_CASE("save_async: cancelled before it begins, or in the middle: the old file is whole, and nothing beside it") {
  const net saved;
  for (const async mode : modes) {
    const scratch::directory here;
    scratch::put(here / "a.ckpt", "old");
    const std::string expected = here / "a.ckpt" + ": the save was cancelled; the file is as it was";
    held_queue held(here / "blocker");
    async_options options = quick(mode);
    options.queue = held.queue();
    {
      save_job job = save_async(saved, here / "a", options);
      job.cancel();
      held.let_go();
      const auto error = support::error_of<job_error>([&] { (void)job.get(); });
      CHECK(error.what() == expected);
      CHECK(error.code() == errc::cancelled);
    }
    if (mode != async::process) {  // a process may be done before the parent hears of its beginning
      save_job* running = nullptr;
      std::binary_semaphore known(0);
      options.progress = [&](progress p) {
        if (p.done != 0) return;
        known.acquire();
        running->cancel();
      };
      save_job job = save_async(saved, here / "a", options);
      running = &job;
      known.release();
      CHECK(message_of<job_error>([&] { (void)job.get(); }) == expected);
    }
    CHECK(get(here / "a.ckpt") == "old");
    CHECK(here.names() == names{"a.ckpt", "blocker.ckpt"});
  }
}

TEST_CASE("save_async: cancelled too late is done") {
  const scratch::directory here;
  for (const async mode : modes) {
    save_job job = save_async(one, here / "a", quick(mode));
    job.wait();
    job.cancel();
    CHECK(job.get().path == here / "a.ckpt");
  }
}

TEST_CASE("save_async: who cancels and drops a job is told nothing") {
  const scratch::directory here;
  bool told = false;
  {
    const held_queue held(here / "blocker");
    async_options options = quick(async::thread);
    options.queue = held.queue();
    options.on_error = [&](const std::exception&) { told = true; };
    save_job job = save_async(one, here / "a", options);
    job.cancel();
  }
  CHECK(!told);
}

TEST_CASE("save_async: a dropped job finishes") {
  const scratch::directory here;
  {
    const held_queue held(here / "blocker");
    for (const async mode : modes) {
      async_options options = quick(mode);
      options.queue = held.queue();
      (void)save_async(one, here / std::to_string(static_cast<int>(mode)), options);
    }
  }
  CHECK(here.names() == names{"0.ckpt", "1.ckpt", "2.ckpt", "blocker.ckpt"});
}

// Order.

TEST_CASE("save_async: the last save of a file stays, in whatever modes and queues") {
  for (const async first : modes)
    for (const async second : modes) {
      const scratch::directory here;
      const map old{{"a", tensor({1}, {1.0F})}};
      const map last{{"a", tensor({1}, {2.0F})}};
      held_queue held(here / "blocker");
      async_options options = quick(first);
      options.queue = held.queue();
      async_options others = quick(second);
      others.queue = save_queue();
      save_job jobs[] = {save_async(old, here / "a", options), save_async(last, here / "a", others)};
      held.let_go();
      for (save_job& job : jobs) CHECK(job.get().bytes > 0);
      CHECK(value_of(here / "a.ckpt") == 2.0F);
    }
}

TEST_CASE("save_async: save of a file that is yet to be replaced comes after it") {
  const scratch::directory here;
  held_queue held(here / "blocker");
  async_options options = quick(async::thread);
  options.queue = held.queue();
  save_job job = save_async(map{{"a", tensor({1}, {1.0F})}}, here / "a", options);
  std::atomic<bool> is_done{false};
  std::thread later([&] {
    save(map{{"a", tensor({1}, {2.0F})}}, here / "a", {.durability = durability::none});
    is_done = true;
  });
  CHECK(!is_done);
  held.let_go();
  later.join();
  CHECK(job.done());
  CHECK(value_of(here / "a.ckpt") == 2.0F);
}

TEST_CASE("save_async: load, inspect and reader wait for a file that is yet to be replaced, or say so") {
  const scratch::directory here;
  held_queue held(here / "blocker");
  async_options options = quick(async::thread);
  options.queue = held.queue();
  save_job job = save_async(one, here / "a", options);
  const std::string expected = here / "a.ckpt" + ": a save of this file is in flight: wait for its job";
  const load_options refusing{.in_flight = in_flight::refuse};
  CHECK(message_of<usage_error>([&] { (void)load(here / "a.ckpt", refusing); }) == expected);
  CHECK(message_of<usage_error>([&] { (void)inspect(here / "a.ckpt", refusing); }) == expected);
  CHECK(message_of<usage_error>([&] { (void)reader(here / "a.ckpt", refusing); }) == expected);
  CHECK(message_of<io_error>([&] { (void)load(here / "b.ckpt"); }) ==
        here / "b.ckpt" + ": cannot open: No such file or directory");
  float loaded = 0;
  std::thread waiting([&] { loaded = value_of(here / "a.ckpt", 1); });
  held.let_go();
  waiting.join();
  CHECK(loaded == 2.0F);
  CHECK(load(here / "a.ckpt", refusing).size() == 1);
}

TEST_CASE("save_async: a callback that would wait for itself is refused") {
  const scratch::directory here;
  std::string refused;
  async_options options = quick(async::borrow);
  options.progress = [&](progress) { refused = message_of<usage_error>([&] { (void)load(here / "a.ckpt"); }); };
  (void)save_async(one, here / "a", options).get();
  CHECK(refused == here / "a.ckpt" + ": a save of this file is in flight" + called_there);
}

TEST_CASE("save_async: a callback that would wait for room is refused") {
  const scratch::directory here;
  std::vector<std::string> refused;
  std::vector<save_job> jobs;
  async_options options = quick(async::borrow);
  options.queue = save_queue();
  options.staging = staging_pool(1000);
  async_options others = options;
  const staging_pool::lease lease = options.staging.take(900, when_full::refuse, "f");
  options.progress = [&](progress) {
    if (!jobs.empty()) return;
    others.mode = async::thread;
    refused.push_back(message_of<usage_error>(
        [&] { (void)save_async(map{{"a", tensor(dtype::uint8, {600})}}, here / "b", others); }));
    others.mode = async::borrow;
    for (const char* const name : {"c", "d"}) jobs.push_back(save_async(one, here / name, others));
    others.mode = async::process;
    refused.push_back(message_of<usage_error>([&] { (void)save_async(one, here / "e", others); }));
  };
  (void)save_async(one, here / "a", options).get();
  REQUIRE(refused.size() == 2);
  CHECK(refused[0].find(" of 1000 are in use by saves that are not done" + called_there) != std::string::npos);
  CHECK(refused[1].find(" until it has its own" + called_there) != std::string::npos);
  for (save_job& job : jobs) CHECK(job.get().bytes > 0);
}

// Room.

TEST_CASE("save_async: a full staging pool is waited for, or refused") {
  const scratch::directory here;
  held_queue held(here / "blocker");
  async_options options = quick(async::thread);
  options.queue = held.queue();
  options.staging = staging_pool(1000);
  const map large{{"a", tensor(dtype::uint8, {600})}};
  save_job first = save_async(large, here / "a", options);
  options.when_full = when_full::refuse;
  const std::string size = std::to_string(save_bytes(large).size());
  CHECK(message_of<usage_error>([&] { (void)save_async(large, here / "b", options); }) ==
        here / "b.ckpt" + ": the staging pool is full: the snapshot takes " + size + " bytes, and " + size +
            " of 1000 are in use by saves that are not done");
  CHECK(here.names().size() == 2);  // what the other two are writing, and nothing of b
  options.when_full = when_full::wait;
  std::thread waiting([&] { (void)save_async(large, here / "b", options).get(); });
  held.let_go();
  waiting.join();
  CHECK(first.done());
  CHECK(options.staging.used() == 0);
  CHECK(options.staging.kept() > 0);
}

TEST_CASE("save_async: no more than so many processes wait for their turn") {
  const scratch::directory here;
  held_queue held(here / "blocker");
  async_options options = quick(async::process);
  options.queue = held.queue();
  options.when_full = when_full::refuse;
  std::vector<save_job> jobs;
  for (std::size_t i = 0; i < save_queue::most_before_process; ++i)
    jobs.push_back(save_async(one, here / std::to_string(i), options));
  CHECK(message_of<usage_error>([&] { (void)save_async(one, here / "b", options); }) ==
        here / "b.ckpt" +
            ": 2 saves are waiting for their turn, and a process would hold on to all memory until it has its own");
  options.when_full = when_full::wait;
  std::thread waiting([&] { (void)save_async(one, here / "b", options).get(); });
  held.let_go();
  waiting.join();
  for (save_job& job : jobs) CHECK(job.get().bytes > 0);
}

TEST_CASE("save_async: waits for as long as is said, in any unit") {
  using namespace std::chrono_literals;
  const scratch::directory here;
  held_queue held(here / "blocker");
  async_options options = quick(async::thread);
  options.queue = held.queue();
  const save_job job = save_async(one, here / "a", options);
  CHECK(!job.wait_for(0.001s));
  CHECK(!job.wait_for(1us));
  held.let_go();
  CHECK(job.wait_for(std::chrono::hours(24) * 365 * 400));
}

TEST_CASE("save_async: a process that is forked meanwhile waits for no save of its parent") {
  const scratch::directory here;
  save(map{{"a", tensor({1}, {5.0F})}}, here / "a", {.durability = durability::none});
  held_queue held(here / "blocker");
  async_options options = quick(async::thread);
  options.queue = held.queue();
  save_job job = save_async(one, here / "a", options);
  CHECK(scratch::status_of_forked([&] {
          job.wait();
          const bool is_refused = message_of<job_error>([&] { (void)job.get(); }) ==
                                  here / "a.ckpt" +
                                      ": the save is that of the process which this one was forked from: only "
                                      "that knows its outcome";
          const bool is_old = value_of(here / "a.ckpt") == 5.0F;
          const bool is_done = job.done() || job.wait_for(std::chrono::hours(1));
          const bool is_saved = save_async(one, here / "c", options).get().bytes > 0;
          return is_refused && is_old && !is_done && is_saved ? 0 : 1;
        }) == 0);
  held.let_go();
  CHECK(job.get().bytes > 0);
  CHECK(value_of(here / "a.ckpt") == 1.0F);
}

TEST_CASE("save_async: nothing at all is a file") {
  for (const async mode : modes) {
    const scratch::directory here;
    const map nothing;
    CHECK(save_async(nothing, here / "a", quick(mode)).get().bytes == 0);
    CHECK(get(here / "a.ckpt").empty());
  }
}

// Coroutines.

namespace {

struct detached {
  struct promise_type {
    detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

detached record(save_job& job, std::string& outcome, std::binary_semaphore& end) {
  try {
    outcome = (co_await job).path;
  } catch (const error& wrong) {
    outcome = wrong.what();
  }
  end.release();
}

struct at_end {
  ~at_end() { end.release(); }
  std::binary_semaphore& end;
};

/// The queue is in no other hands: it goes on its own thread.
detached save_alone(std::string path, const async_options& given, std::string& outcome, std::binary_semaphore& end) {
  const at_end last{end};
  async_options options = given;
  options.queue = save_queue();
  save_job job = save_async(one, path, options);
  outcome = (co_await job).path;
}

}  // namespace

TEST_CASE("save_async: a coroutine that goes on on the thread of its own queue may end it") {
  const scratch::directory here;
  for (const async mode : modes) {
    std::string outcome;
    std::binary_semaphore is_waiting(0);
    std::binary_semaphore end(0);
    async_options options = quick(mode);
    options.progress = [&, is_first = true](progress) mutable {
      if (std::exchange(is_first, false)) is_waiting.acquire();
    };
    save_alone(here / "a", options, outcome, end);
    is_waiting.release();
    end.acquire();
    CHECK(outcome == here / "a.ckpt");
  }
}

namespace {

/// With a queue of its own, in which each save begins when `go` is released once more.
async_options that_waits_for(std::counting_semaphore<>& go) {
  async_options options = quick(async::thread);
  options.queue = save_queue();
  options.progress = [&, is_first = true](progress) mutable {
    if (std::exchange(is_first, false)) go.acquire();
  };
  return options;
}

/// Waits, on the thread of a queue, for a save that only that thread could do.
detached save_twice(std::string path, const async_options& given, bool asks, std::string& outcome,
                    std::binary_semaphore& end) {
  const at_end last{end};
  save_job first = save_async(one, path, given);
  co_await first;
  const save_job second = save_async(one, path + "2", given);
  try {
    if (asks) (void)const_cast<save_job&>(second).get();
    else second.wait();
  } catch (const usage_error& e) {
    outcome = e.what();
  }
}

}  // namespace

TEST_CASE("save_async: on the thread of a queue nobody waits for a save, or it would for ever") {
  const scratch::directory here;
  for (const bool asks : {true, false}) {
    std::string outcome;
    std::counting_semaphore<> is_waiting(0);
    std::binary_semaphore end(0);
    const async_options options = that_waits_for(is_waiting);
    save_twice(here / "a", options, asks, outcome, end);
    is_waiting.release(2);
    end.acquire();
    CHECK(outcome == here /
                         "a2.ckpt: the save is not done; this is called on the thread of a queue of saves, which must "
                         "not wait for them");
  }
}

namespace {

/// Asks, on the thread of a queue, for what is done.
detached ask_again(std::string path, const async_options& given, std::uint64_t& bytes, std::binary_semaphore& end) {
  const at_end last{end};
  save_job first = save_async(one, path, given);
  co_await first;
  first.wait();
  bytes = first.get().bytes;
}

}  // namespace

TEST_CASE("save_async: on the thread of a queue anybody may ask for a save that is done") {
  const scratch::directory here;
  std::uint64_t bytes = 0;
  std::counting_semaphore<> is_waiting(0);
  std::binary_semaphore end(0);
  const async_options options = that_waits_for(is_waiting);
  ask_again(here / "a", options, bytes, end);
  is_waiting.release();
  end.acquire();
  CHECK(bytes == std::filesystem::file_size(here / "a.ckpt"));
}

TEST_CASE("save_async: the end of a program waits for saves whose queue somebody still has") {
  const scratch::directory here;
  const net saved;
  CHECK(scratch::status_of_forked([&]() -> int {
          ::close(STDOUT_FILENO);  // what waits to be printed there is the parent's
          const async_options options = quick(async::thread);
          for (int i = 0; i < 3; ++i) (void)save_async(saved, here / std::to_string(i), options);
          async_options others = options;
          others.queue = save_queue();
          (void)save_async(saved, here / "3", others);
          std::exit(0);  // with handles of both queues on the stack
        }) == 0);
  CHECK(here.names() == names{"0.ckpt", "1.ckpt", "2.ckpt", "3.ckpt"});
}

TEST_CASE("save_async: a coroutine awaits the outcome, be it there already or not") {
  const scratch::directory here;
  for (const bool is_late : {false, true}) {
    std::string outcomes[2];
    std::binary_semaphore ends[2] = {std::binary_semaphore(0), std::binary_semaphore(0)};
    held_queue held(here / "blocker");
    if (is_late) held.let_go();
    async_options options = quick(async::thread);
    options.queue = held.queue();
    save_job good = save_async(one, here / "a", options);
    save_job bad = save_async(one, here / "none/a", options);
    if (is_late) bad.wait();
    record(good, outcomes[0], ends[0]);
    record(bad, outcomes[1], ends[1]);
    held.let_go();
    for (auto& end : ends) end.acquire();
    CHECK(outcomes[0] == here / "a.ckpt");
    CHECK(outcomes[1].find("cannot open the directory") != std::string::npos);
  }
}

TEST_CASE("save_async: a coroutine that awaits a save which ends meanwhile is not suspended") {
  const scratch::directory here;
  const save_job job = save_async(one, here / "a", quick(async::thread));
  job.wait();
  const auto awaited = job.operator co_await();
  CHECK(awaited.await_ready());
  CHECK(!awaited.await_suspend(std::noop_coroutine()));
}
