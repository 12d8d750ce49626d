// Saves and loads at the orders of power_cut.py, one a line on standard input:
//   save PATH VERSION CUT   saves the content of that version, synced; CUT is "-", or a folder of the file system to
//   cut when save
//                           has returned
//   hasty PATH VERSION CUT  the same with durability::none
//   late PATH VERSION CUT   saves synced, and answers "saving" when all is written and only the commit is left
//   frozen PATH VERSION ROOT  saves by a process with a deadline of 100 ms while the file system is frozen, and thaws
//   it
//                             when the job is done
//   load PATH               answers which version the file holds
// Answers, one a line on standard output: "saving" when the save begins, and then "done", "version N", "missing" or
// "failed: why".

#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <ckpt/async.hpp>
#include <ckpt/ckpt.hpp>

namespace {

#ifndef FS_IOC_SHUTDOWN
#define FS_IOC_SHUTDOWN _IOR('X', 125, std::uint32_t)
#endif

// The file system forgets what its journal has not got on the disk, as when the power goes:
// EXT4_GOING_FLAGS_NOLOGFLUSH.
void cut(int root) {
  std::uint32_t without_log_flush = 2;
  if (::ioctl(root, FS_IOC_SHUTDOWN, &without_log_flush) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot shut the file system down");
}

// Every version differs in every element from the others, and files of two versions in size.
std::size_t element_count(std::uint32_t version, std::size_t tensor) {
  return (1U << 20) + 1000 * (version % 13) + 7 * tensor;
}
std::uint32_t element(std::uint32_t version, std::size_t position) {
  return static_cast<std::uint32_t>(position) * 2654435761U + version;
}

constexpr std::size_t tensor_count = 5;

std::vector<ckpt::parameter> content(std::uint32_t version) {
  std::vector<ckpt::parameter> parameters;
  for (std::size_t i = 0; i < tensor_count; ++i) {
    ckpt::tensor tensor(ckpt::dtype::uint32, {static_cast<std::int64_t>(element_count(version, i))});
    const std::span<std::uint32_t> elements = tensor.as<std::uint32_t>();
    for (std::size_t k = 0; k < elements.size(); ++k) elements[k] = element(version, k);
    parameters.push_back({"layer" + std::to_string(i) + ".weight", std::move(tensor)});
  }
  return parameters;
}

std::uint32_t version_of(const std::string& path) {
  const ckpt::state_dict model = ckpt::load(path, {.read = ckpt::read::copy});
  if (model.size() != tensor_count + 1) throw std::runtime_error(std::to_string(model.size()) + " entries");
  const auto version = static_cast<std::uint32_t>(model["version"].item<std::int64_t>());
  for (std::size_t i = 0; i < tensor_count; ++i) {
    const std::string name = "layer" + std::to_string(i) + ".weight";
    const std::span<const std::uint32_t> elements = model[name].as<std::uint32_t>();
    if (elements.size() != element_count(version, i)) throw std::runtime_error(name + " has another length");
    for (std::size_t k = 0; k < elements.size(); ++k)
      if (elements[k] != element(version, k))
        throw std::runtime_error(name + " has other content, from element " + std::to_string(k) + " on");
  }
  return version;
}

void answer(const std::string& text) { std::cout << text << std::endl; }

enum class announce : std::uint8_t { at_the_start, before_the_commit };

void save(const std::string& path, std::uint32_t version, const std::string& root, ckpt::durability durability,
          announce when) {
  const std::vector<ckpt::parameter> parameters = content(version);
  const int folder = root == "-" ? -1 : ::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  std::string result = "done";
  ckpt::save_options options{.append = {{"version", version}}, .durability = durability};
  if (when == announce::before_the_commit)
    options.progress = [](ckpt::progress p) {
      if (p.done == p.total) answer("saving");
    };
  else answer("saving");
  try {
    const ckpt::save_report report = ckpt::save(parameters, path, options);
    if (folder >= 0) cut(folder);
    if (durability == ckpt::durability::full && !report.is_durable)
      throw std::runtime_error("save says that the file is not durable");
  } catch (const std::exception& e) {
    result = std::string("failed: ") + e.what();
  }
  if (folder >= 0) ::close(folder);  // before the answer, after which the file system is unmounted
  answer(result);
}

// No signal ends a process that waits for a frozen file system.
void save_while_frozen(const std::string& path, std::uint32_t version, const std::string& root) {
  const std::vector<ckpt::parameter> parameters = content(version);
  const int folder = ::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  ckpt::async_options options{.append = {{"version", version}}, .mode = ckpt::async::process};
  options.queue = ckpt::save_queue();
  options.deadline = std::chrono::milliseconds(100);
  // Another save comes first, elsewhere, until all is frozen.
  std::atomic<bool> is_frozen{false};
  const std::string elsewhere = std::filesystem::temp_directory_path() / ("ckpt_before_" + std::to_string(::getpid()));
  ckpt::save_job before = ckpt::save_async(std::vector<ckpt::parameter>(), elsewhere,
                                           {.append = {{"version", version}},
                                            .progress =
                                                [&](ckpt::progress) {
                                                  while (!is_frozen) std::this_thread::yield();
                                                },
                                            .queue = options.queue});
  ckpt::save_job job = ckpt::save_async(parameters, path, options);
  std::string result = "done";
  if (::ioctl(folder, FIFREEZE, 0) != 0) result = "failed: cannot freeze the file system";
  is_frozen = true;
  try {
    (void)before.get();
    (void)job.get();
  } catch (const std::exception& e) {
    result = std::string("failed: ") + e.what();
  }
  (void)::ioctl(folder, FITHAW, 0);
  ::close(folder);
  std::filesystem::remove(elsewhere + ".ckpt");
  answer(result);
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string order, path, root;
    std::uint32_t version = 0;
    words >> order >> path >> version >> root;
    if (order == "save") save(path, version, root, ckpt::durability::full, announce::at_the_start);
    else if (order == "late") save(path, version, root, ckpt::durability::full, announce::before_the_commit);
    else if (order == "hasty") save(path, version, root, ckpt::durability::none, announce::at_the_start);
    else if (order == "frozen") save_while_frozen(path, version, root);
    else if (::access(path.c_str(), F_OK) != 0) answer("missing");
    else try {
        answer("version " + std::to_string(version_of(path)));
      } catch (const std::exception& e) {
        answer(std::string("failed: ") + e.what());
      }
  }
}
