#include <ckpt/checkpoint/save_queue.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

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

}  // namespace

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
