// One save in the background with the faults of fault_inject.cpp. Prints the error, and exits with 0 done, 3 io_error,
// 4 job_error, 5 another exception, 6 a descriptor or a process is left, 2 wrong usage.
#include <ckpt/async.hpp>
#include <ckpt/checksum/crc32.hpp>
#include <ckpt/crypto.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <sys/wait.h>

#include "fault_child.hpp"

namespace {

bool has_children() {
  siginfo_t how{};
  return ::waitid(P_ALL, 0, &how, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 || errno != ECHILD;
}

std::vector<std::pair<std::string, std::vector<float>>> make(const std::string& what) {
  std::vector<std::pair<std::string, std::vector<float>>> made;
  for (int i = 0; i < 3; ++i) {
    made.emplace_back("layer" + std::to_string(i) + ".weight",
                      std::vector<float>(what == "large" || what == "parallel" ? std::size_t{2} << 20 : 1000));
    std::fill(made.back().second.begin(), made.back().second.end(), what == "old" ? 0.25F : 1000.5F);
  }
  return made;
}

template <class Policy>
void save(const std::string& what, ckpt::async_options options, const std::string& path) {
  auto made = make(what);
  const bool is_borrowed = options.mode == ckpt::async::borrow;
  const fault::armed faults;
  ckpt::save_job job = ckpt::save_async<Policy>(made, path, std::move(options));
  if (!is_borrowed)
    for (auto& [name, data] : made) std::fill(data.begin(), data.end(), 0.0F);
  (void)job.get();
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() != 5) return 2;
  const std::string& form = arguments[1];
  const std::string& mode = arguments[3];
  ckpt::async_options options{.durability = arguments[2] == "full" ? ckpt::durability::full : ckpt::durability::none,
                              .permissions = 0600,
                              .threads = arguments[0] == "parallel" ? 4U : 1U,
                              .mode = mode == "thread"    ? ckpt::async::thread
                                      : mode == "process" ? ckpt::async::process
                                                          : ckpt::async::borrow};
  const ckpt::secret_key key = ckpt::secret_key::from_text("a key of 16 byte");
  if (form == "aes_gcm") options.key = key;
  if (form == "aes_gcm") save<ckpt::aes_gcm>(arguments[0], std::move(options), arguments[4]);
  else if (form == "safetensors") save<ckpt::safetensors>(arguments[0], std::move(options), arguments[4]);
  else if (form == "crc32") save<ckpt::crc32>(arguments[0], std::move(options), arguments[4]);
  else save<ckpt::mindspore>(arguments[0], std::move(options), arguments[4]);
  return 0;
}

}  // namespace

int main(int count, char** values) {
  const std::vector<std::string> arguments(values + 1, values + count);
  if (fault_inject_arm == nullptr || arguments.size() != 5) {
    std::fputs(
        "usage: LD_PRELOAD=libfault_inject.so async_child old|small|large|parallel ckpt|safetensors|crc32|aes_gcm "
        "full|none thread|process|borrow PATH\n",
        stderr);
    return 2;
  }
  const int result = fault::exit_code_of<ckpt::job_error>([&] { return run(arguments); }, arguments.back());
  if (!has_children()) return result;
  std::puts("a process is left");
  return 6;
}
