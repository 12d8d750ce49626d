#include <ckpt/task/child_process.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstring>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/wait.h>

#include "../io/scratch.hpp"

using namespace ckpt;
using namespace std::chrono_literals;

namespace {

std::span<const std::byte> sent(std::string_view text) { return scratch::bytes(text); }

/// The messages of a child up to its end.
std::string all_of(child_process& child) {
  std::string all;
  std::array<std::byte, 16> message{};
  while (child.receive(message, {}) == child_process::event::message) {
    all += scratch::text(message).c_str();
    message = {};
  }
  return all;
}

}  // namespace

TEST_CASE("child_process: works on the memory as it was, and tells the parent") {
  REQUIRE(child_process::is_available());
  std::string text = "old";
  child_process child({}, "f", [&](const child_channel& parent) {
    if (parent.wait_for_go()) parent.send(sent(text));
    parent.offer(sent("!"));
  });
  text = "new";
  child.go();
  CHECK(all_of(child) == "old!");
  const exit_status how = child.wait();
  CHECK(how.is_success());
}

TEST_CASE("child_process: its exit code and its signal") {
  child_process leaves({}, "f", [](const child_channel&) { ::_exit(7); });
  CHECK(all_of(leaves).empty());
  const exit_status left = leaves.wait();
  CHECK(!left.by_signal);
  CHECK(left.number == 7);
  CHECK(!left.is_success());

  child_process waits({}, "f", [](const child_channel& parent) { (void)parent.wait_for_go(); });
  std::array<std::byte, 1> message{};
  CHECK(waits.receive(message, 1ms) == child_process::event::timeout);
  waits.kill();
  CHECK(all_of(waits).empty());
  const exit_status killed = waits.wait();
  CHECK(killed.by_signal);
  CHECK(killed.number == SIGKILL);
}

TEST_CASE("child_process: one that nobody waits for is killed and reaped") {
  int pid = 0;
  {
    const child_process child({}, "f", [](const child_channel& parent) { (void)parent.wait_for_go(); });
    pid = child.pid();
    CHECK(::kill(pid, 0) == 0);
  }
  CHECK(::kill(pid, 0) == -1);
}

TEST_CASE("child_process: the application's own waiting does not see it, even where SIGCHLD is ignored") {
  for (const bool ignored : {false, true}) {
    const auto before = std::signal(SIGCHLD, ignored ? SIG_IGN : SIG_DFL);
    child_process child({}, "f", [](const child_channel&) {});
    CHECK(all_of(child).empty());  // it has ended
    int status = 0;
    CHECK(::waitpid(-1, &status, WNOHANG) == -1);
    CHECK(errno == ECHILD);
    CHECK(child.wait().is_success());
    (void)std::signal(SIGCHLD, before);
  }
}

TEST_CASE("child_process: says where the application has reaped it all the same") {
  child_process child({}, "f", [](const child_channel&) {});
  CHECK(all_of(child).empty());
  CHECK(::waitpid(child.pid(), nullptr, __WALL) == child.pid());
  const exit_status how = child.wait();
  CHECK(!how.is_known);
  CHECK(!how.is_success());
}

TEST_CASE("child_process: has the descriptors that it is given, and no others") {
  const scratch::directory here;
  const file_descriptor kept(::open((here / "a").c_str(), O_CREAT | O_RDWR, 0600), "a");
  const file_descriptor other(::open((here / "b").c_str(), O_CREAT | O_RDWR, 0600), "b");
  const std::array<int, 2> given{kept.get(), -1};
  child_process child(given, "f", [&](const child_channel& parent) {
    std::string_view open = "";
    if (::fcntl(kept.get(), F_GETFD) >= 0) open = "kept";
    if (::fcntl(other.get(), F_GETFD) >= 0 || ::fcntl(0, F_GETFD) >= 0 || ::fcntl(1, F_GETFD) >= 0 ||
        ::fcntl(2, F_GETFD) >= 0)
      open = "others";
    parent.send(sent(open));
  });
  CHECK(all_of(child) == "kept");
  CHECK(child.wait().is_success());
}

TEST_CASE("child_process: no signal reaches it but those that kill") {
  child_process child({}, "f", [](const child_channel& parent) {
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGUSR1, SIGALRM, SIGTSTP}) ::kill(::getpid(), number);
    parent.send(sent("alive"));
  });
  CHECK(all_of(child) == "alive");
  CHECK(child.wait().is_success());
  sigset_t now;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &now);
  CHECK(::sigismember(&now, SIGINT) == 0);  // here all is as before
}

TEST_CASE("child_process: its descriptor is readable when it has ended") {
  child_process child({}, "f", [](const child_channel& parent) { (void)parent.wait_for_go(); });
  const file_descriptor end = child.descriptor();
  pollfd what{end.get(), POLLIN, 0};
  CHECK(::poll(&what, 1, 0) == 0);
  child.go();
  child_process::wait_for(end.get());
  CHECK(::poll(&what, 1, 0) == 1);
  CHECK(child.wait().is_success());
}

TEST_CASE("child_process: goes on when the parent has ended") {
  const scratch::directory here;
  const file_descriptor out(::open((here / "out").c_str(), O_CREAT | O_RDWR, 0600), "out");
  std::array<int, 2> end{};
  REQUIRE(::pipe(end.data()) == 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    const std::array<int, 2> kept{out.get(), end[1]};
    const child_process child(kept, "f", [&](const child_channel& gone) {
      (void)!::write(out.get(), gone.wait_for_go() ? "go" : "alone", gone.wait_for_go() ? 2 : 5);
    });
    ::_exit(0);  // without the destructor
  }
  CHECK(::waitpid(parent, nullptr, 0) == parent);
  ::close(end[1]);
  char none = 0;
  CHECK(::read(end[0], &none, 1) == 0);  // when the last one who has the other end is gone
  ::close(end[0]);
  CHECK(scratch::get(here / "out") == "alone");
}
