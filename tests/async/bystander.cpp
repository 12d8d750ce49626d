#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <malloc.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ckpt/async.hpp>

#include "../unit/io/scratch.hpp"
#include "model.hpp"
#include "processes.hpp"

// What the rest of a program notices of its saves in the background: nothing.

namespace {

constexpr std::size_t large = 20'000;
constexpr ckpt::async modes[] = {ckpt::async::thread, ckpt::async::process, ckpt::async::borrow};

ckpt::async_options options_of(ckpt::async mode, std::int32_t seed = 0) {
  return {.append = {{"seed", seed}}, .durability = ckpt::durability::none, .permissions = 0600, .mode = mode};
}

/// Reaps whatever child it can get until it is told to stop, as an init or a job server does.
class reaper {
 public:
  reaper()
      : m_thread([this] {
          while (!m_is_over) {
            int status = 0;
            const pid_t got = ::waitpid(-1, &status, WNOHANG);
            if (got > 0) m_reaped.push_back({got, status});
            else std::this_thread::yield();
          }
        }) {}
  reaper(const reaper&) = delete;
  reaper& operator=(const reaper&) = delete;
  ~reaper() { stop(); }

  /// The children it got, and their status.
  const std::vector<std::pair<pid_t, int>>& stop() {
    m_is_over = true;
    if (m_thread.joinable()) m_thread.join();
    return m_reaped;
  }

 private:
  std::atomic<bool> m_is_over{false};
  std::vector<std::pair<pid_t, int>> m_reaped;
  std::thread m_thread;
};

/// Shared by this process and those that it forks.
template <class T>
class shared_with_children {
 public:
  shared_with_children() {
    void* const memory = ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::runtime_error("no shared memory");
    m_value = new (memory) T();
  }
  shared_with_children(const shared_with_children&) = delete;
  shared_with_children& operator=(const shared_with_children&) = delete;
  ~shared_with_children() { ::munmap(m_value, sizeof(T)); }

  T& operator*() const { return *m_value; }

 private:
  T* m_value;
};

pid_t thread_id() { return static_cast<pid_t>(::syscall(SYS_gettid)); }

/// Where the handlers of this program ran.
struct handled {
  std::atomic<pid_t> own_process{0};
  std::atomic<pid_t> sender{0};
  std::atomic<int> in_own_threads{0};
  std::atomic<int> on_queues{0};
  std::atomic<int> in_children{0};
};
std::atomic<handled*> told{nullptr};

extern "C" void note_signal(int) {
  handled& here = *told.load();
  const pid_t thread = thread_id();
  if (::getpid() != here.own_process) ++here.in_children;
  else if (thread == here.own_process || thread == here.sender) ++here.in_own_threads;
  else ++here.on_queues;
}

/// The action of a signal, put back at the end.
class action {
 public:
  action(int number, void (*handler)(int)) : m_number(number) {
    struct sigaction now{};
    now.sa_handler = handler;
    ::sigaction(number, &now, &m_before);
  }
  action(const action&) = delete;
  action& operator=(const action&) = delete;
  ~action() { ::sigaction(m_number, &m_before, nullptr); }

 private:
  int m_number;
  struct sigaction m_before{};
};

/// Many saves that end in all ways: well, failed, cancelled before and after they began, dropped, and thrown out of.
void save_in_all_ways(const scratch::directory& here, int rounds) {
  model net(large);
  for (int round = 0; round < rounds; ++round)
    for (const ckpt::async mode : modes) {
      const std::string path = here / std::to_string(round % 5);
      std::vector<ckpt::save_job> jobs;
      jobs.push_back(ckpt::save_async(net, path, options_of(mode)));
      jobs.push_back(ckpt::save_async<ckpt::safetensors>(net, path, options_of(mode)));
      jobs.push_back(ckpt::save_async(net, here / "none/a", options_of(mode)));
      ckpt::async_options throwing = options_of(mode);
      throwing.progress = [](ckpt::progress) { throw std::runtime_error("enough"); };
      jobs.push_back(ckpt::save_async(net, path, throwing));
      for (int i = 0; i < 2; ++i) {
        jobs.push_back(ckpt::save_async(net, path, options_of(mode)));
        jobs.back().cancel();
      }
      {
        const ckpt::save_job dropped = ckpt::save_async(net, path, options_of(mode));
        if (mode == ckpt::async::borrow) dropped.wait();  // of what it borrows
      }
      int failed = 0;
      for (ckpt::save_job& job : jobs) {
        try {
          (void)job.get();
        } catch (const std::exception&) {
          ++failed;
        }
      }
      CHECK(failed >= 2);
      CHECK(failed <= 4);
    }
}

}  // namespace

TEST_CASE("bystander: who waits for any child never gets a saving process, and does get its own") {
  const scratch::directory here;
  model net(large);
  reaper waits;
  std::map<pid_t, int> own;
  for (std::int32_t i = 0; i < 100; ++i) {
    ckpt::save_job job = ckpt::save_async(net, here / "a", options_of(ckpt::async::process, i));
    if (i % 5 == 0) {
      const pid_t pid = ::fork();
      if (pid == 0) ::_exit(i);
      own[pid] = i;
    }
    CHECK(job.get().bytes > 0);
  }
  processes::wait_until("all own children are reaped", [] { return processes::children().empty(); });
  const auto& reaped = waits.stop();
  CHECK(reaped.size() == own.size());
  for (const auto& [pid, status] : reaped) {
    REQUIRE(own.contains(pid));
    CHECK(WEXITSTATUS(status) == own[pid]);
  }
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
  CHECK(errno == ECHILD);
}

TEST_CASE("bystander: a child that is waited for while a saving process lives is the caller's own, or none") {
  const scratch::directory here;
  model net(large);
  std::atomic<bool> go{false};
  ckpt::async_options held = options_of(ckpt::async::thread);
  held.progress = [&](ckpt::progress) { go.wait(false); };
  ckpt::save_job first = ckpt::save_async(net, here / "a", held);
  ckpt::save_job waits = ckpt::save_async(net, here / "b", options_of(ckpt::async::process));
  CHECK(processes::children().size() == 1);
  CHECK(::waitpid(-1, nullptr, 0) == -1);  // would block for a child of the usual kind
  CHECK(errno == ECHILD);
  go = true;
  go.notify_all();
  CHECK(first.get().bytes > 0);
  CHECK(waits.get().bytes > 0);
}

TEST_CASE("bystander: SIGCHLD may be ignored, or handled: then no save makes one") {
  const scratch::directory here;
  model net(large);
  {
    const action ignored(SIGCHLD, SIG_IGN);
    for (std::int32_t i = 0; i < 20; ++i)
      CHECK(ckpt::save_async(net, here / "a", options_of(ckpt::async::process, i)).get().bytes > 0);
  }
  handled counts;
  counts.own_process = ::getpid();
  told = &counts;
  const action noted(SIGCHLD, &note_signal);
  for (std::int32_t i = 0; i < 20; ++i)
    CHECK(ckpt::save_async(net, here / "a", options_of(ckpt::async::process, i)).get().bytes > 0);
  ckpt::save_job cancelled = ckpt::save_async(net, here / "a", options_of(ckpt::async::process));
  cancelled.cancel();
  cancelled.wait();
  CHECK(counts.in_own_threads == 0);
  CHECK(processes::children().empty());
}

TEST_CASE("bystander: signal handlers run neither in saving processes nor on the threads of queues") {
  const scratch::directory here;
  const shared_with_children<handled> counts;
  (*counts).own_process = ::getpid();
  told = &*counts;
  const action noted(SIGUSR1, &note_signal);
  const action also(SIGTERM, &note_signal);
  model net(300'000);
  std::atomic<bool> is_over{false};
  std::thread sender([&] {
    (*counts).sender = thread_id();
    while (!is_over) {
      ::kill(::getpid(), SIGUSR1);
      for (const pid_t each : processes::threads())
        if (each != ::getpid() && each != thread_id()) ::syscall(SYS_tgkill, ::getpid(), each, SIGUSR1);
      for (const processes::child& each : processes::children()) ::kill(each.pid, SIGTERM);
    }
  });
  processes::wait_until("signals are sent", [&] { return (*counts).in_own_threads > 0; });
  for (std::int32_t i = 0; i < 100; ++i) {
    const ckpt::save_queue own;  // a new thread each time
    for (const ckpt::async mode : modes) {
      ckpt::async_options options = options_of(mode, i);
      options.queue = own;
      CHECK(ckpt::save_async(net, here / "a", std::move(options)).get().bytes > 0);
    }
  }
  is_over = true;
  sender.join();
  CHECK((*counts).on_queues == 0);
  CHECK((*counts).in_children == 0);
}

TEST_CASE("bystander: nothing is left of saves that ended in all ways: no zombie, descriptor, thread, memory or file") {
  const scratch::directory here;
  const auto quiet = [&](int rounds) {
    save_in_all_ways(here, rounds);
    ckpt::save_async(std::vector<ckpt::parameter>(), here / "last", options_of(ckpt::async::thread)).wait();
    processes::wait_until("the thread of the queue has ended", [] { return processes::threads().size() == 1; });
  };
  quiet(10);
  const std::size_t descriptors = processes::open_descriptors();
  const std::size_t allocated = ::mallinfo2().uordblks;
  quiet(20);
  CHECK(processes::children().empty());
  CHECK(processes::open_descriptors() == descriptors);
  CHECK(::mallinfo2().uordblks <= allocated + 4096);
  CHECK(ckpt::staging_pool::process().used() == 0);
  for (const std::string& name : here.names()) CHECK_FALSE(name.ends_with(".tmp"));
  CHECK(here.names().size() == 11);  // five of each format, and the last
}
