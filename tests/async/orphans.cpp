#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ckpt/async.hpp>

#include "../unit/checkpoint/held_queue.hpp"
#include "../unit/io/scratch.hpp"
#include "model.hpp"
#include "processes.hpp"
#include "target.hpp"

// Saving processes whose parent is killed: they carry out what was asked for, in its order, or leave nothing behind.

namespace {

constexpr std::size_t large = std::size_t{4} << 20;

ckpt::async_options options_of(ckpt::async mode, std::int32_t seed, const ckpt::save_queue& queue) {
  return {.append = {{"seed", seed}},
          .durability = ckpt::durability::none,
          .permissions = 0600,
          .mode = mode,
          .queue = queue};
}

/// A process that this one has forked, which asks for saves and is killed in the middle of it. The processes that it
/// leaves become children of this one, so that their end can be waited for.
class parent {
 public:
  explicit parent(const std::function<void()>& work) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    m_pid = ::fork();
    if (m_pid == 0) {
      try {
        work();
        ::kill(::getpid(), SIGKILL);
      } catch (const std::exception& error) {
        static_cast<void>(std::fprintf(stderr, "%s\n", error.what()));
      }
      ::_exit(1);
    }
    int status = 0;
    if (::waitpid(m_pid, &status, 0) != m_pid || !WIFSIGNALED(status)) throw std::runtime_error("was not killed");
  }

  /// Returns when all that it has left have ended. How many there were, and how many of them failed.
  static std::pair<int, int> reap() {
    std::pair<int, int> counts{0, 0};
    for (;;) {
      int status = 0;
      const pid_t got = ::waitpid(-1, &status, 0);
      if (got < 0 && errno == ECHILD) return counts;
      ++counts.first;
      if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) ++counts.second;
    }
  }

 private:
  pid_t m_pid = -1;
};

using counts = std::pair<int, int>;

}  // namespace

TEST_CASE("orphans: a process that waited for its turn, or has begun, completes the file by itself") {
  for (const bool has_begun : {false, true}) {
    const target file;
    const scratch::directory other;
    const parent killed([&] {
      model net(large, 2);
      const ckpt::save_queue queue;
      if (has_begun) {
        std::atomic<bool> never{false};
        std::atomic<bool> is_begun{false};
        ckpt::async_options options = options_of(ckpt::async::process, 2, queue);
        options.progress = [&](ckpt::progress) {
          is_begun = true;
          is_begun.notify_all();
          never.wait(false);
        };
        ckpt::save_job job = ckpt::save_async(net, file.path, std::move(options));
        is_begun.wait(false);
        ::kill(::getpid(), SIGKILL);
      }
      const held_queue held(other / "held");
      const ckpt::save_job job = ckpt::save_async(net, file.path, options_of(ckpt::async::process, 2, held.queue()));
      net.fill(3);
      ::kill(::getpid(), SIGKILL);
    });
    CHECK(parent::reap() == counts{1, 0});
    CHECK(model::is_in(ckpt::load(file.path), 2, large));
    CHECK(file.is_alone());
  }
}

TEST_CASE("orphans: the last save of a file stays, whatever was between them") {
  for (const bool is_killed : {false, true}) {
    const target file;
    const scratch::directory other;
    const parent killed([&] {
      model first(large, 2);
      model last(small, 4);
      // Queues of their own: no more than two processes wait in one.
      const held_queue held(other / "held");
      const ckpt::save_queue second;
      const ckpt::save_queue third;
      const ckpt::save_job one = ckpt::save_async(first, file.path, options_of(ckpt::async::process, 2, held.queue()));
      // A save by a thread, which ends with the parent, or a process that is killed.
      ckpt::save_job two = ckpt::save_async(
          first, file.path, options_of(is_killed ? ckpt::async::process : ckpt::async::thread, 3, second));
      const ckpt::save_job three = ckpt::save_async(last, file.path, options_of(ckpt::async::process, 4, third));
      if (is_killed) two.cancel();
      ::kill(::getpid(), SIGKILL);
    });
    CHECK(parent::reap() == counts{is_killed ? 3 : 2, is_killed ? 1 : 0});
    CHECK(model::is_in(ckpt::load(file.path), 4, small));
    CHECK(file.here.names().size() == 2);  // of the parent's thread, or of the process that was killed
  }
}

TEST_CASE("orphans: other processes that the parent has forked hold up nothing") {
  const target file;
  const scratch::directory other;
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  std::array<pid_t, 2> pids{};  // of the saving process, and of another
  const parent killed([&] {
    model net(small, 2);
    const held_queue held(other / "held");
    const ckpt::save_job job = ckpt::save_async(net, file.path, options_of(ckpt::async::process, 2, held.queue()));
    const std::vector<processes::child> children = processes::children();
    std::array<pid_t, 2> made{children.at(0).pid, ::fork()};
    if (made[1] == 0) {
      for (;;) ::pause();  // with a copy of every descriptor of the parent's
    }
    if (::write(ends[1], made.data(), sizeof made) != sizeof made) throw std::runtime_error("cannot say so");
    ::kill(::getpid(), SIGKILL);
  });
  REQUIRE(::read(ends[0], pids.data(), sizeof pids) == sizeof pids);
  for (const int end : ends) ::close(end);
  int status = -1;
  CHECK(::waitpid(pids[0], &status, 0) == pids[0]);
  CHECK(status == 0);
  CHECK(model::is_in(ckpt::load(file.path), 2, small));
  CHECK(file.is_alone());
  ::kill(pids[1], SIGKILL);
  CHECK(parent::reap() == counts{1, 1});
}

TEST_CASE("orphans: one that comes late does not replace what was saved meanwhile") {
  for (const bool is_first : {false, true}) {
    const target file;
    const scratch::directory other;
    if (is_first) std::filesystem::remove(file.path);
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    const parent killed([&] {
      model net(large, 2);
      const held_queue held(other / "held");
      const ckpt::save_job job = ckpt::save_async(net, file.path, options_of(ckpt::async::process, 2, held.queue()));
      const pid_t pid = processes::children().at(0).pid;
      ::kill(pid, SIGSTOP);
      if (::write(ends[1], &pid, sizeof pid) != sizeof pid) throw std::runtime_error("cannot say so");
      ::kill(::getpid(), SIGKILL);
    });
    pid_t orphan = -1;
    REQUIRE(::read(ends[0], &orphan, sizeof orphan) == sizeof orphan);
    for (const int end : ends) ::close(end);
    const model newer(small, 5);
    ckpt::save(newer, file.path, {.append = {{"seed", 5}}, .durability = ckpt::durability::none, .permissions = 0600});
    ::kill(orphan, SIGCONT);
    CHECK(parent::reap() == counts{1, 1});
    CHECK(model::is_in(ckpt::load(file.path), 5, small));
    CHECK(file.is_alone());
  }
}

TEST_CASE("orphans: a program that has become another has no more saves") {
  const target file;
  const scratch::directory other;
  std::array<int, 2> ends{};  // for the number of the saving process
  std::array<int, 2> held{};  // what the other program waits for
  REQUIRE(::pipe(ends.data()) == 0);
  REQUIRE(::pipe(held.data()) == 0);
  const pid_t program = ::fork();
  if (program == 0) {
    const model net(large, 2);
    const held_queue queue(other / "held");
    const ckpt::save_job job = ckpt::save_async(net, file.path, options_of(ckpt::async::process, 2, queue.queue()));
    const pid_t pid = processes::children().at(0).pid;
    ::kill(pid, SIGSTOP);
    if (::write(ends[1], &pid, sizeof pid) == sizeof pid && ::dup2(held[0], STDIN_FILENO) == STDIN_FILENO) {
      ::close(held[1]);
      ::execlp("cat", "cat", nullptr);
    }
    ::_exit(1);
  }
  ::close(held[0]);
  pid_t orphan = -1;
  REQUIRE(::read(ends[0], &orphan, sizeof orphan) == sizeof orphan);
  for (const int end : ends) ::close(end);
  const std::string name = "/proc/" + std::to_string(program) + "/comm";
  while (processes::first_bytes_of(name) != "cat\n") std::this_thread::yield();
  const auto process = static_cast<int>(::syscall(SYS_pidfd_open, orphan, 0U));
  REQUIRE(process >= 0);
  const model newer(small, 5);
  ckpt::save(newer, file.path, {.append = {{"seed", 5}}, .durability = ckpt::durability::none, .permissions = 0600});
  ::kill(orphan, SIGCONT);
  pollfd ended{process, POLLIN, 0};
  CHECK(::poll(&ended, 1, 60000) == 1);
  ::close(process);
  CHECK(model::is_in(ckpt::load(file.path), 5, small));
  CHECK(file.is_alone());
  ::close(held[1]);
  int status = -1;
  CHECK(::waitpid(program, &status, 0) == program);
  CHECK(status == 0);
  CHECK(parent::reap() == counts{1, 1});
}

TEST_CASE("orphans: one that fails leaves the old file, and nothing beside it") {
  const target file;
  const scratch::directory other;
  const parent killed([&] {
    model net(large, 2);
    const held_queue held(other / "held");
    const rlimit least{4096, 4096};
    ::setrlimit(RLIMIT_FSIZE, &least);
    const ckpt::save_job job = ckpt::save_async(net, file.path, options_of(ckpt::async::process, 2, held.queue()));
    ::kill(::getpid(), SIGKILL);
  });
  CHECK(parent::reap() == counts{1, 1});
  CHECK(file.is_old());
  CHECK(file.is_alone());
}

TEST_CASE("orphans: a program that ends in the usual way finishes its saves first, and one that does not loses none") {
  for (const bool is_usual : {false, true}) {
    const target file;
    static_cast<void>(std::fflush(nullptr));  // or the child prints it again
    const pid_t pid = ::fork();
    if (pid == 0) {
      const model net(large, 2);
      const ckpt::save_job job =
          ckpt::save_async(net, file.path, options_of(ckpt::async::process, 2, ckpt::save_queue::process()));
      if (is_usual) std::exit(0);  // NOLINT(concurrency-mt-unsafe)
      ::_exit(0);
    }
    int status = -1;
    CHECK(::waitpid(pid, &status, 0) == pid);
    CHECK(status == 0);
    if (is_usual) CHECK(model::is_in(ckpt::load(file.path), 2, large));
    CHECK(parent::reap() == counts{is_usual ? 0 : 1, 0});
    CHECK(model::is_in(ckpt::load(file.path), 2, large));
    CHECK(file.is_alone());
  }
}
