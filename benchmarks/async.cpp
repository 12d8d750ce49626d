// What does a save in the background cost the one who asks for it? `stall`: the seconds until save_async returns,
// beside the least that each way of keeping the tensors takes: a copy by all cores, or a fork. Then the seconds until
// the file is there, beside those of save(). Then those of a step of a training that goes on meanwhile.
#include <ckpt/async.hpp>
#include <ckpt/task/default_threads.hpp>

#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <malloc.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "contest.hpp"
#include "large.hpp"
#include "raw_file.hpp"
#include "raw_writer.hpp"

namespace {

using model = std::vector<ckpt::parameter>;

/// All tensors, one behind the other, each by the next core that is free.
double copy(const model& from, std::span<std::byte> to) {
  const std::size_t size = to.size() / from.size();
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < from.size(); i = next++)
      std::memcpy(&to[i * size], from[i].data.bytes().data(), size);
  };
  return bench::seconds([&] {
    std::vector<std::jthread> others;
    for (unsigned i = 1; i < ckpt::default_threads(); ++i) others.emplace_back(work);
    work();
  });
}

double copy_to_touched(const bench::settings& chosen, const model& from) {
  static const ckpt::aligned_memory memory = [&] {
    ckpt::aligned_memory fresh(chosen.mebibytes * bench::mebibyte);
    std::memset(fresh.bytes().data(), 1, fresh.bytes().size());
    return fresh;
  }();
  return copy(from, memory.bytes());
}

double copy_to_fresh(const bench::settings& chosen, const model& from) {
  const ckpt::aligned_memory memory(chosen.mebibytes * bench::mebibyte);
  return copy(from, memory.bytes());
}

/// The system call alone, for a child that ends at once.
double bare_fork() {
  long child = 0;
  const double result = bench::seconds([&] {
    child = ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr);
    if (child == 0) ::_exit(0);
  });
  bench::raw_file::check(child, "clone");
  bench::raw_file::check(::waitpid(static_cast<pid_t>(child), nullptr, 0), "waitpid");
  return result;
}

/// The tensors as they are after a save by process: a page of a fork that is written to is no huge one any more.
model in_small_pages(const model& from) {
  bench::raw_file::check(::prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0), "prctl");
  model copied = from;
  bench::raw_file::check(::prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0), "prctl");
  return copied;
}

template <class Format>
std::string path(const bench::settings& chosen) {
  return chosen.file(std::string("async.").append(Format::suffix));
}

/// Until the call returns; the rest of the save is waited for, but does not count.
double stall(const bench::settings& chosen, const model& what, const ckpt::async_options& options) {
  const bench::removed_at_end file(path<ckpt::mindspore>(chosen));
  std::optional<ckpt::save_job> job;
  const double result =
      bench::seconds([&] { job.emplace(ckpt::save_async<ckpt::mindspore>(what, file.path(), options)); });
  job->get();
  return result;
}

template <class Format>
double total(const bench::settings& chosen, const model& what, const ckpt::async_options& options) {
  const bench::removed_at_end file(path<Format>(chosen));
  return bench::seconds([&] { ckpt::save_async<Format>(what, file.path(), options).get(); });
}

template <class Format>
double total(const bench::settings& chosen, const model& what, ckpt::durability how) {
  const bench::removed_at_end file(path<Format>(chosen));
  return bench::seconds([&] { ckpt::save<Format>(what, file.path(), {.durability = how}); });
}

/// A pool that keeps the memory of a save that was done before.
template <class Format>
ckpt::staging_pool used_pool(const bench::settings& chosen, const model& what) {
  static const ckpt::staging_pool used = [&] {
    ckpt::staging_pool pool(2 * chosen.mebibytes * bench::mebibyte);
    total<Format>(chosen, what, {.durability = ckpt::durability::none, .staging = pool});
    return pool;
  }();
  return used;
}

/// What a training does: arithmetic in the cache, and a change of each element of each tensor. On one thread, so that
/// there is a core for the save: what it costs is then the memory's bandwidth and copies of pages.
void step(model& trained) {
  static std::array<float, 4096> activations{};
  constexpr int passes = 3000;
  for (ckpt::parameter& each : trained) {
    for (int pass = 0; pass < passes; ++pass)
      for (float& value : activations) value = value * 0.5F + 0.25F;
    const float change = activations[0] * 0x1p-10F;
    for (float& value : each.data.as<float>()) value = value * 0.999F + change;
  }
}

double step_alone(model& trained) {
  constexpr int steps = 4;
  return bench::seconds([&] {
           for (int i = 0; i < steps; ++i) step(trained);
         }) /
         steps;
}

/// The mean of those that begin before the file is there, on the disk.
double step_meanwhile(const bench::settings& chosen, model& trained, const ckpt::async_options& options) {
  const bench::removed_at_end file(path<ckpt::mindspore>(chosen));
  ckpt::save_job job = ckpt::save_async<ckpt::mindspore>(trained, file.path(), options);
  int steps = 0;
  const double result = bench::seconds([&] {
    for (; steps == 0 || !job.done(); ++steps) step(trained);
  });
  job.get();
  return result / steps;
}

template <class Format>
void add_totals(bench::contest& contest, const bench::settings& chosen, const model& what) {
  const std::string format(Format::suffix);
  for (const ckpt::durability how : {ckpt::durability::none, ckpt::durability::full}) {
    const std::string prefix = (how == ckpt::durability::full ? "durable " : "") + format;
    contest.add(prefix, [&, how] { return total<Format>(chosen, what, how); });
    contest.add(prefix + " thread", [&, how] {
      return total<Format>(chosen, what, {.durability = how, .staging = used_pool<Format>(chosen, what)});
    });
    contest.add(prefix + " process",
                [&, how] { return total<Format>(chosen, what, {.durability = how, .mode = ckpt::async::process}); });
    contest.add(prefix + " borrow",
                [&, how] { return total<Format>(chosen, what, {.durability = how, .mode = ckpt::async::borrow}); });
  }
}

}  // namespace

int main(int argc, char** argv) {
  // Tensors that are freed go back to the system, and new ones come from there: else malloc begins to keep them.
  ::mallopt(M_MMAP_THRESHOLD, 1 << 20);
  const bench::settings chosen = bench::parse(argc, argv);
  model tensors = bench::large_model(chosen.mebibytes);
  bench::contest contest(chosen);

  constexpr ckpt::durability none = ckpt::durability::none;
  constexpr ckpt::async process = ckpt::async::process;
  contest.add("stall memcpy", [&] { return copy_to_touched(chosen, tensors); });
  contest.add("stall memcpy fresh", [&] { return copy_to_fresh(chosen, tensors); });
  contest.add("stall thread", [&] {
    return stall(chosen, tensors, {.durability = none, .staging = used_pool<ckpt::mindspore>(chosen, tensors)});
  });
  contest.add("stall thread first", [&] {
    return stall(chosen, tensors,
                 {.durability = none, .staging = ckpt::staging_pool(2 * chosen.mebibytes * bench::mebibyte)});
  });
  contest.add("stall fork", [] { return bare_fork(); });
  contest.add("stall process", [&] { return stall(chosen, tensors, {.durability = none, .mode = process}); });
  contest.add("stall fork small pages", [&] {
    const model small = in_small_pages(tensors);
    return bare_fork();
  });
  contest.add("stall process small pages",
              [&] { return stall(chosen, in_small_pages(tensors), {.durability = none, .mode = process}); });
  contest.add("stall borrow",
              [&] { return stall(chosen, tensors, {.durability = none, .mode = ckpt::async::borrow}); });

  add_totals<ckpt::mindspore>(contest, chosen, tensors);
  add_totals<ckpt::safetensors>(contest, chosen, tensors);

  contest.add("step", [&] { return step_alone(tensors); });
  contest.add("step thread", [&] {
    return step_meanwhile(chosen, tensors, {.staging = used_pool<ckpt::mindspore>(chosen, tensors)});
  });
  contest.add("step process", [&] {
    const double result = step_meanwhile(chosen, tensors, {.mode = process});
    tensors.clear();  // those are in small pages now
    tensors = bench::large_model(chosen.mebibytes);
    return result;
  });
  return contest.run();
}
