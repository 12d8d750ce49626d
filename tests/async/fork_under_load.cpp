// Saving processes forked from a program whose other threads allocate and lock without a pause: whatever lock is held
// at the fork stays held in the child for ever, so that a child that took one might never end. Here it ends with exit
// code 99 (watch.cpp), and none of a thousand does; each file holds what the model was at the call.
#include <ckpt/async.hpp>
#include <ckpt/checksum/crc32.hpp>
#include <ckpt/crypto.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../unit/io/scratch.hpp"
#include "model.hpp"
#include "watch.hpp"

namespace {

/// Under a sanitizer, which sees less, a fork takes a hundred times as long.
const std::int32_t saves = watch::sees_malloc() ? 1000 : 150;

int failures = 0;

void check(bool fine, std::string_view what) {
  if (fine) return;
  ++failures;
  std::fprintf(stderr, "FAILED: %.*s\n", static_cast<int>(what.size()), what.data());
}

/// Threads that allocate, free each other's memory and hold locks until this is gone. They have what time the others
/// leave: so they are often interrupted in the middle of it, with a lock in hand.
class load_on_locks {
 public:
  load_on_locks() {
    for (unsigned i = 0; i < 8; ++i) m_threads.emplace_back([this, i] { work(i); });
  }
  load_on_locks(const load_on_locks&) = delete;
  load_on_locks& operator=(const load_on_locks&) = delete;
  ~load_on_locks() {
    m_is_over = true;
    m_changed.notify_all();
    for (std::thread& each : m_threads) each.join();
    for (std::atomic<void*>& slot : m_slots) std::free(slot.load());
  }

  [[nodiscard]] std::uint64_t rounds() const noexcept { return m_rounds; }

 private:
  void work(unsigned number) {
    // On Linux this is about the one thread.
    static_cast<void>(::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), 10));
    std::uint32_t random = number + 1;
    while (!m_is_over) {
      random = random * 1664525U + 1013904223U;
      const std::size_t size = (random >> 8U) % 4000 + 1;
      void* memory = std::malloc(size);
      if (void* const larger = std::realloc(memory, size * 2)) memory = larger;
      std::free(m_slots[random % m_slots.size()].exchange(memory));
      {
        const std::lock_guard lock(m_mutex);
        m_text.assign(random % 100, 'x');
      }
      if (random % 2 == 0) {
        const std::shared_lock lock(m_shared);
        ++m_rounds;
      } else {
        const std::unique_lock lock(m_shared);
        m_list = std::make_unique<std::vector<int>>(random % 50);
      }
      m_changed.notify_one();
    }
  }

  std::array<std::atomic<void*>, 32> m_slots{};
  std::mutex m_mutex;
  std::shared_mutex m_shared;
  std::condition_variable m_changed;
  std::string m_text;
  std::unique_ptr<std::vector<int>> m_list;
  std::atomic<std::uint64_t> m_rounds{0};
  std::atomic<bool> m_is_over{false};
  std::vector<std::thread> m_threads;
};

const ckpt::secret_key& key() {
  static const ckpt::secret_key one = ckpt::secret_key::from_text("a key of 16 byte");
  return one;
}

/// A way of saving, and of reading that back.
struct way {
  std::string_view name;
  bool is_encrypted;
  ckpt::save_job (*save)(const model&, const std::string&, ckpt::async_options);
  ckpt::state_dict (*load)(const std::string&, const ckpt::load_options&);
};

template <class First, class... Rest>
way way_of(std::string_view name, bool is_encrypted) {
  return {name, is_encrypted,
          [](const model& net, const std::string& path, ckpt::async_options options) {
            return ckpt::save_async<First, Rest...>(net, path, std::move(options));
          },
          [](const std::string& path, const ckpt::load_options& options) {
            // A reader finds out which format it is.
            if constexpr (std::is_same_v<First, ckpt::mindspore> || std::is_same_v<First, ckpt::safetensors>)
              return ckpt::load<Rest...>(path, options);
            else return ckpt::load<First, Rest...>(path, options);
          }};
}

const std::array<way, 7>& ways() {
  static const std::array<way, 7> all{
      way_of<ckpt::mindspore>("mindspore", false),
      way_of<ckpt::safetensors>("safetensors", false),
      way_of<ckpt::mindspore, ckpt::crc32>("mindspore crc32", false),
      way_of<ckpt::safetensors, ckpt::crc32>("safetensors crc32", false),
      way_of<ckpt::aes_gcm>("aes_gcm", true),
      way_of<ckpt::aes_cbc>("aes_cbc", true),
      way_of<ckpt::sm4_cbc>("sm4_cbc", true),
  };
  return all;
}

/// A save that was asked for, to be compared with what was saved.
struct asked {
  ckpt::save_job job;
  std::int32_t seed;
  std::size_t large;
  const way* how;
};

void compare(asked& which) {
  const std::string what = std::string(which.how->name) + ", save " + std::to_string(which.seed) + ": ";
  try {
    const ckpt::save_report report = which.job.get();
    ckpt::load_options options;
    if (which.how->is_encrypted) options.key = key();
    check(model::is_in(which.how->load(report.path, options), which.seed, which.large),
          what + "the file is not what the model was at the call");
  } catch (const std::exception& error) {
    check(false, what + error.what());
  }
}

void save_all(const std::string& directory) {
  constexpr std::size_t sizes[] = {10, 1000, 20'000, 2'200'000};  // the last one with a child_thread
  std::vector<std::unique_ptr<model>> nets;
  for (const std::size_t size : sizes) nets.push_back(std::make_unique<model>(size));
  std::deque<asked> open;
  for (std::int32_t i = 0; i < saves; ++i) {
    const way& how = ways()[static_cast<std::size_t>(i) % ways().size()];
    const std::size_t which = i % 20 == 0 ? 3 : static_cast<std::size_t>(i % 3);
    ckpt::async_options options{.append = {{"seed", i}},
                                .durability = i % 50 == 0 ? ckpt::durability::full : ckpt::durability::none,
                                .permissions = 0600,
                                .mode = ckpt::async::process};
    if (how.is_encrypted) options.key = key();
    nets[which]->fill(i);
    // So many files that none is replaced before it was compared.
    const std::string path = directory + "/" + std::to_string(i % 8) + (how.name.starts_with("safe") ? "s" : "c");
    open.push_back({how.save(*nets[which], path, std::move(options)), i, sizes[which], &how});
    nets[which]->fill(i + 1);
    if (open.size() < 4) continue;
    compare(open.front());
    open.pop_front();
  }
  for (asked& each : open) compare(each);
}

/// That a child that does any of it is caught.
template <class Call>
void check_caught(std::string_view what, Call call) {
  ckpt::child_process child({}, "a child", [&](const ckpt::child_channel&) { call(); });
  const ckpt::exit_status how = child.wait();
  check(how.is_known && !how.by_signal && how.number == watch::caught, std::string(what) + " is not watched");
}

void check_the_watch() {
  static std::mutex mutex;
  static std::shared_mutex shared;
  static std::condition_variable changed;
  static std::once_flag once;
  static void* volatile memory = std::malloc(1);
  static std::unique_lock<std::mutex> held(mutex);
  held.unlock();
  if (watch::sees_malloc()) {
    check_caught("malloc", [] { memory = std::malloc(1); });
    check_caught("calloc", [] { memory = std::calloc(1, 1); });
    check_caught("realloc", [] { memory = std::realloc(memory, 100); });
    check_caught("aligned_alloc", [] { memory = std::aligned_alloc(64, 64); });
    check_caught("free", [] { std::free(memory); });
    check_caught("an exception", [] {
      try {
        throw 1;
      } catch (int) {
      }
    });
  }
  check_caught("operator new", [] { memory = ::operator new(1); });
  check_caught("aligned operator new", [] { memory = ::operator new(1, std::align_val_t{64}); });
  check_caught("operator delete", [] { ::operator delete(memory); });
  check_caught("a mutex", [] { mutex.lock(); });
  check_caught("a shared mutex", [] { shared.lock_shared(); });
  check_caught("a condition", [] { changed.wait(held); });
  check_caught("call_once", [] { std::call_once(once, [] {}); });
  ckpt::child_process child({}, "a child", [](const ckpt::child_channel&) {});
  check(child.wait().is_success(), "a child that does nothing is caught");
  std::free(memory);
}

}  // namespace

int main() {
  if (!ckpt::child_process::is_available()) {
    std::puts("this system cannot save by processes: it needs Linux 5.9");
    return 1;
  }
  watch::begin();
  check_the_watch();
  const scratch::directory here;
  std::uint64_t rounds = 0;
  {
    const load_on_locks load;
    save_all(here.path());
    rounds = load.rounds();
  }
  check(rounds > 1000, "there was no load: " + std::to_string(rounds) + " rounds");
  check(here.names().size() == 16, "other files are left than the 16 that were saved to");
  std::printf("%d saves by processes while 8 threads allocated and locked (%llu rounds); %d failures\n", saves,
              static_cast<unsigned long long>(rounds), failures);
  return failures == 0 ? 0 : 1;
}
