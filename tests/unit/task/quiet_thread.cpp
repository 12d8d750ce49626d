#include <ckpt/task/quiet_thread.hpp>

#include <doctest/doctest.h>

#include <csignal>
#include <thread>

#include <pthread.h>

using namespace ckpt;

namespace {

struct worker {
  void work() {
    sigset_t now;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &now);
    gets_signals = ::sigismember(&now, SIGINT) == 0;
    who = std::this_thread::get_id();
  }
  bool gets_signals = true;
  std::thread::id who;
};

}  // namespace

TEST_CASE("quiet_thread: calls a member function on another thread, which gets no signals") {
  worker one;
  quiet_thread thread;
  CHECK(!thread.is_there());
  thread.start<&worker::work>(one);
  REQUIRE(thread.is_there());
  thread.join();
  CHECK(!thread.is_there());
  CHECK(one.who != std::thread::id());
  CHECK(one.who != std::this_thread::get_id());
  CHECK(!one.gets_signals);
}

TEST_CASE("quiet_thread: its end is waited for") {
  worker one;
  {
    quiet_thread thread;
    thread.start<&worker::work>(one);
  }
  CHECK(!one.gets_signals);
}
