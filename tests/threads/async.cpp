#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <ckpt/async.hpp>
#include <ckpt/crypto.hpp>

#include "../async/model.hpp"
#include "../unit/io/scratch.hpp"
#include "in_all_threads.hpp"

// What may be done by several threads at once with saves in the background. Shows races under -fsanitize=thread, and
// wrong results without.

namespace {

using scratch::directory;

constexpr std::size_t large = 30'000;
constexpr ckpt::async modes[] = {ckpt::async::thread, ckpt::async::process, ckpt::async::borrow};

ckpt::async_options options_of(ckpt::async mode, std::int32_t seed) {
  return {.append = {{"seed", seed}},
          .durability = ckpt::durability::none,
          .permissions = 0600,
          .threads = 2,
          .mode = mode};
}

/// Whether the file is whole, and all of one save.
bool is_one_model(const ckpt::state_dict& file) {
  return model::is_in(file, static_cast<std::int32_t>(file["seed"].item<std::int64_t>()), large);
}

/// All threads save in all modes, each to files of its own, and change the model at once where they may.
void save_to_own_files(const ckpt::save_queue* shared_queue, const ckpt::staging_pool* shared_pool) {
  const directory here;
  std::atomic<int> wrong{0};
  std::atomic<int> reports{0};
  CHECK(failures_in_all([&](std::size_t thread) {
          const ckpt::save_queue own_queue;
          const ckpt::staging_pool own_pool(std::uint64_t{1} << 20);
          model net(large);
          std::vector<ckpt::save_job> jobs;
          for (std::int32_t i = 0; i < 6; ++i) {
            const ckpt::async mode = modes[(thread + static_cast<std::size_t>(i)) % 3];
            ckpt::async_options options = options_of(mode, i);
            options.queue = shared_queue != nullptr ? *shared_queue : own_queue;
            options.staging = shared_pool != nullptr ? *shared_pool : own_pool;
            options.progress = [&](ckpt::progress) { ++reports; };
            net.fill(i);
            const std::string path = here / (std::to_string(thread) + "." + std::to_string(i));
            jobs.push_back(i % 2 == 0 ? ckpt::save_async(net, path, std::move(options))
                                      : ckpt::save_async<ckpt::safetensors>(net, path, std::move(options)));
            if (mode == ckpt::async::borrow) jobs.back().wait();
            if (!jobs.back().staged()) ++wrong;
          }
          for (std::int32_t i = 0; i < 6; ++i)
            if (!model::is_in(ckpt::load(jobs[static_cast<std::size_t>(i)].get().path), i, large)) ++wrong;
        }) == 0);
  CHECK(wrong == 0);
  CHECK(reports > 0);
  CHECK(here.names().size() == 6 * thread_count);
}

}  // namespace

TEST_CASE("async: saves of all modes by all threads, into queues and pools that they share or have for themselves") {
  const ckpt::save_queue queue;
  const ckpt::staging_pool pool(std::uint64_t{1} << 20);  // so little that they wait for each other
  SUBCASE("both shared") { save_to_own_files(&queue, &pool); }
  SUBCASE("one queue") { save_to_own_files(&queue, nullptr); }
  SUBCASE("one pool") { save_to_own_files(nullptr, &pool); }
  SUBCASE("neither") { save_to_own_files(nullptr, nullptr); }
  CHECK(pool.used() == 0);
}

TEST_CASE("async: all save to one file, in the background or not, while it is loaded: always one of theirs, whole") {
  const directory here;
  const std::string path = here / "net.ckpt";
  const model first(large);
  ckpt::save(first, path, {.append = {{"seed", 0}}, .durability = ckpt::durability::none, .permissions = 0600});
  std::atomic<int> wrong{0};
  CHECK(failures_in_all([&](std::size_t thread) {
          const ckpt::save_queue own_queue;
          model net(large);
          for (std::int32_t round = 0; round < 8; ++round) {
            const std::int32_t seed = static_cast<std::int32_t>(thread) * 100 + round;
            net.fill(seed);
            ckpt::async_options options = options_of(modes[(thread + static_cast<std::size_t>(round)) % 3], seed);
            if (thread % 2 == 0) options.queue = own_queue;
            ckpt::save_job job = ckpt::save_async(net, path, std::move(options));
            if (!is_one_model(ckpt::load(path))) ++wrong;
            if (job.get().bytes == 0) ++wrong;
            if (thread == 0)
              ckpt::save(net, path,
                         {.append = {{"seed", seed}}, .durability = ckpt::durability::none, .permissions = 0600});
          }
        }) == 0);
  CHECK(wrong == 0);
  CHECK(is_one_model(ckpt::load(path)));
  CHECK(here.names().size() == 1);
}

TEST_CASE("async: one job is asked and cancelled by all") {
  const directory here;
  const std::string path = here / "net.ckpt";
  model net(large);
  ckpt::save(net, path, {.append = {{"seed", 0}}, .durability = ckpt::durability::none, .permissions = 0600});
  for (std::int32_t round = 1; round <= 12; ++round) {
    const bool is_cancelled = round % 2 == 0;
    net.fill(round);
    ckpt::save_job job = ckpt::save_async(net, path, options_of(modes[round % 3], round));
    std::atomic<int> wrong{0};
    std::atomic<int> done{0};
    CHECK(failures_in_all([&](std::size_t thread) {
            if (is_cancelled && thread % 2 == 0) job.cancel();
            while (!job.wait_for(std::chrono::milliseconds(1))) {
              const ckpt::progress now = job.progress();
              if (now.done > now.total) ++wrong;
              if (is_cancelled) job.cancel();
            }
            if (!job.done() || !job.staged()) ++wrong;
            try {
              if (job.get().bytes == 0) ++wrong;
              ++done;
            } catch (const ckpt::job_error& error) {
              if (error.code() != ckpt::errc::cancelled || !is_cancelled) ++wrong;
            }
          }) == 0);
    CHECK(wrong == 0);
    CHECK((done == 0 || done == static_cast<int>(thread_count)));
    CHECK((is_cancelled || done > 0));
    CHECK((done == 0 || model::is_in(ckpt::load(path), round, large)));
    CHECK(here.names().size() == 1);
  }
}

TEST_CASE("async: jobs are dropped by all, and their errors told") {
  const directory here;
  std::atomic<int> told{0};
  std::vector<ckpt::save_queue> queues(2);
  CHECK(failures_in_all([&](std::size_t thread) {
          const model net(large);
          for (const ckpt::async mode : modes) {
            ckpt::async_options options = options_of(mode, 0);
            options.queue = queues[thread % 2];
            options.on_error = [&](const std::exception&) { ++told; };
            const ckpt::save_job job = ckpt::save_async(net, here / "none/a", std::move(options));
            if (mode == ckpt::async::borrow) job.wait();
          }
        }) == 0);
  queues.clear();  // waits for all of them
  CHECK(told == 3 * static_cast<int>(thread_count));
  CHECK(here.names().empty());
}

TEST_CASE_TEMPLATE("async: encrypted saves of all modes by all threads", Cipher, ckpt::aes_gcm, ckpt::sm4_cbc) {
  const directory here;
  const ckpt::secret_key key = ckpt::secret_key::from_text("a key of 16 byte");
  std::atomic<int> wrong{0};
  CHECK(failures_in_all([&](std::size_t thread) {
          model net(large);
          for (const ckpt::async mode : modes) {
            ckpt::async_options options = options_of(mode, static_cast<std::int32_t>(thread));
            options.key = key;
            net.fill(static_cast<std::int32_t>(thread));
            ckpt::save_job job = ckpt::save_async<Cipher>(net, here / std::to_string(thread), std::move(options));
            if (mode != ckpt::async::borrow) net.fill(-1);
            const ckpt::state_dict file = ckpt::load<Cipher>(job.get().path, {.key = key, .threads = 2});
            if (!model::is_in(file, static_cast<std::int32_t>(thread), large)) ++wrong;
          }
        }) == 0);
  CHECK(wrong == 0);
  CHECK(here.names().size() == thread_count);
}
