// A checkpoint manager with the faults of fault_inject.cpp. Its checkpoints are of epoch 1, and of latest_n{2}.
//   manager_child save STEP DIRECTORY   opens it and saves one with the faults; prints what was not deleted, and why
//   manager_child save-quickly …        the same with durability::none
//   manager_child discard STEP …        deletes those after that step with the faults
//   manager_child restore DIRECTORY     prints the step of the newest checkpoint that loads, and what it holds
// Exits with 0 done, 3 io_error, 5 another exception, 6 a descriptor is left open, 2 wrong usage.
#include <ckpt/manager.hpp>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "fault_child.hpp"

namespace {

void save(std::uint64_t step, const std::string& path, ckpt::durability durability) {
  const std::vector<std::pair<std::string, std::vector<float>>> net{
      {"weight", std::vector<float>(1000, static_cast<float>(step))}};
  const auto value = static_cast<double>(step);
  const fault::armed faults;
  ckpt::checkpoint_manager<> manager(
      path,
      {.prefix = "net", .preservation = ckpt::latest_n{2}, .save = {.durability = durability, .permissions = 0600}});
  const auto report = manager.save({.epoch = 1, .step = step, .metrics = {{"value", value}}}, net);
  for (const ckpt::error& error : report->errors) std::printf("not deleted: %s\n", error.what());
}

void discard(std::uint64_t last, const std::string& path) {
  ckpt::checkpoint_manager<> manager(path, {.prefix = "net"});
  const fault::armed faults;
  for (const ckpt::error& error : manager.discard_after({.epoch = 1, .step = last}).errors)
    std::printf("not deleted: %s\n", error.what());
}

void restore(const std::string& path) {
  const auto restored = ckpt::restore_latest(path, "net");
  if (!restored) return;
  const std::vector<float> weight = restored->model["weight"].to_vector<float>();
  for (const float each : weight)
    if (weight.size() != 1000 || each != static_cast<float>(restored->from.step)) throw std::exception();
  std::printf("%llu, value %g\n", static_cast<unsigned long long>(restored->from.step),
              restored->from.metrics.at("value"));
}

}  // namespace

int main(int count, char** values) {
  const std::vector<std::string> arguments(values + 1, values + count);
  if (fault_inject_arm == nullptr || arguments.size() != (!arguments.empty() && arguments[0] == "restore" ? 2 : 3)) {
    std::fputs("usage: LD_PRELOAD=libfault_inject.so manager_child save STEP DIRECTORY | restore DIRECTORY\n", stderr);
    return 2;
  }
  const long before = fault::open_descriptors();
  int result = 0;
  try {
    if (arguments[0] == "restore") restore(arguments[1]);
    else if (arguments[0] == "discard") discard(std::stoull(arguments[1]), arguments[2]);
    else
      save(std::stoull(arguments[1]), arguments[2],
           arguments[0] == "save" ? ckpt::durability::full : ckpt::durability::none);
  } catch (const ckpt::io_error& error) {
    std::puts(error.what());
    result = 3;
  } catch (const std::exception& error) {
    std::puts(error.what());
    result = 5;
  }
  if (fault::open_descriptors() != before) {
    std::puts("a descriptor is left open");
    result = 6;
  }
  return result;
}
