#include <ckpt/checkpoint/save_queue.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <ckpt/checkpoint/in_flight.hpp>
#include <ckpt/io/atomic_file.hpp>

#include "../io/scratch.hpp"

using namespace ckpt;
using scratch::message_of;

namespace {

class empty_save final : public detail::pending_save {
 public:
  explicit empty_save(std::string path)
      : pending_save(std::move(path), 0, {.sync = durability::none, .mode = 0600}, 0, {}, {}) {}
  [[nodiscard]] bool is_staged() const override { return true; }

 private:
  void write(atomic_file&, function_ref<void(std::uint64_t)>) override {}
  void describe(save_report&) const noexcept override {}
  void release() noexcept override {}
};

/// Says after each byte how far it is.
class chatty_save final : public detail::pending_save {
 public:
  static constexpr std::uint64_t size = 5000;

  chatty_save(std::string path, std::function<void(ckpt::progress)> on_progress)
      : pending_save(std::move(path), size, {.sync = durability::none, .mode = 0600}, 0, {}, std::move(on_progress)) {}
  [[nodiscard]] bool is_staged() const override { return true; }

 private:
  void write(atomic_file& to, function_ref<void(std::uint64_t)> report) override {
    constexpr std::byte byte{};
    for (std::uint64_t done = 1; done <= size; ++done) {
      to.write(std::span(&byte, 1));
      report(done);
    }
  }
  void describe(save_report& report) const noexcept override { report.bytes = size; }
  void release() noexcept override {}
};

}  // namespace

TEST_CASE("save_queue: the end is told, though a process does not wait for who is slow to listen") {
  const scratch::directory here;
  const save_queue queue;
  std::vector<std::uint64_t> told;
  const auto save = std::make_shared<chatty_save>(here / "a", [&](progress p) {
    while (!std::filesystem::exists(here / "a")) std::this_thread::yield();  // until the process is done
    told.push_back(p.done);
  });
  queue.add(save, [&] { save->fork(std::chrono::milliseconds(0)); });
  CHECK(save->result().bytes == chatty_save::size);
  CHECK(told.size() < chatty_save::size);
  CHECK(told.back() == chatty_save::size);
}

TEST_CASE("save_queue: who waits for a save that could not be started is woken") {
  const scratch::directory here;
  const save_queue queue;
  const std::string path = here / "a";
  auto save = std::make_shared<empty_save>(path);
  std::thread waits;
  const auto start = [&] {
    waits = std::thread([&] { detail::settle_saves_of(path, in_flight::wait); });
    while (save.use_count() == 1) std::this_thread::yield();  // until it waits
    throw std::runtime_error("no");
  };
  CHECK(message_of<std::runtime_error>([&] { queue.add(save, start); }) == "no");
  waits.join();
  CHECK(save->is_done());
  save.reset();
  CHECK(here.names().empty());
  auto next = std::make_shared<empty_save>(path);
  queue.add(next, [] {});
  CHECK(next->result().path == path);
}
