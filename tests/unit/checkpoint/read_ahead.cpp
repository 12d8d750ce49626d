#include <ckpt/checkpoint/read_ahead.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <ckpt/checkpoint/load.hpp>
#include <ckpt/checkpoint/save.hpp>
#include <ckpt/format/safetensors.hpp>

#include "../io/scratch.hpp"
#include "../support.hpp"

using namespace ckpt;

namespace {

/// How many threads there are at the most while tensors of `size` bytes together are saved, beyond those before.
int threads_that_save(std::size_t size, save_options options) {
  const scratch::directory folder;
  const std::vector<std::uint8_t> content(size);
  const std::map<std::string, std::vector<std::uint8_t>> net{{"w", content}};
  const int before = support::threads_of_this_process();
  int most = before;
  options.progress = [&](progress) { most = std::max(most, support::threads_of_this_process()); };
  save(net, folder / "net", options);
  return most - before;
}

}  // namespace

TEST_CASE("plain saves: a second thread goes ahead of what is written to a large file, where it may") {
  CHECK(threads_that_save(executor::large_file / 2, {.threads = 2}) == 0);
  CHECK(threads_that_save(executor::large_file, {.threads = 1}) == 0);
  CHECK(threads_that_save(executor::large_file, {.threads = 2}) >= 1);  // a sanitizer may have one, too
}

TEST_CASE("plain saves: no thread of theirs goes on when they have returned") {
  const scratch::directory folder;
  const std::map<std::string, std::vector<std::uint8_t>> net{
      {"w", std::vector<std::uint8_t>(static_cast<std::size_t>(executor::large_file))}};
  const int before = support::threads_of_this_process();
  for (int i = 0; i < 10; ++i) {
    save(net, folder / "net", {.durability = durability::none, .threads = 2});
    CHECK(support::threads_of_this_process() == before);
  }
}

TEST_CASE("plain saves: one thread or two, the same bytes") {
  std::vector<std::uint8_t> content(executor::large_file + 64);
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<std::uint8_t>(i ^ (i >> 8U) ^ (i >> 16U));
  std::map<std::string, tensor_view> net;
  constexpr std::size_t piece = detail::read_ahead::piece;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, executor::large_piece - 1, executor::large_piece,
                                 piece - 1, piece, 3 * piece + 1, static_cast<std::size_t>(executor::large_file)})
    net.emplace(std::to_string(size), tensor_view(dtype::uint8, {static_cast<std::int64_t>(size)},
                                                  std::as_bytes(std::span(content)).subspan(net.size(), size)));
  const scratch::directory folder;
  const std::string expected = scratch::text(save_bytes(net));
  for (const unsigned threads : {1U, 2U}) {
    save(net, folder / "net", {.threads = threads});
    CHECK(scratch::get(folder / "net.ckpt") == expected);
  }
}

TEST_CASE("plain saves: memory that cannot be read is the kernel's to refuse, also with a second thread") {
  const scratch::directory folder;
  const std::string model = folder / "model.safetensors";
  save<safetensors>(
      std::map<std::string, std::vector<std::uint8_t>>{
          {"w", std::vector<std::uint8_t>(static_cast<std::size_t>(executor::large_file))}},
      model, {.permissions = 0600});
  const state_dict mapped = load(model);
  std::filesystem::resize_file(model, 4096);
  CHECK_THROWS_AS(save<safetensors>(mapped, folder / "copy", {.threads = 2}), io_error);
  CHECK(!std::filesystem::exists(folder / "copy.safetensors"));
}
