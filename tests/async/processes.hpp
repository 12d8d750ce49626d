#ifndef CKPT_TESTS_ASYNC_PROCESSES_HPP
#define CKPT_TESTS_ASYNC_PROCESSES_HPP

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

// What /proc says of this process and its children.

namespace processes {

struct child {
  pid_t pid;
  char state;  ///< `Z`: ended, and nobody has reaped it; `T`: stopped
};

/// No more than fits in one read; nothing where there is nothing to read.
inline std::string first_bytes_of(const std::string& path) {
  std::string text(4096, '\0');
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const ssize_t got = ::read(descriptor, text.data(), text.size());
  if (descriptor >= 0) ::close(descriptor);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

/// The children of this process, those that no wait() sees, too.
inline std::vector<child> children() {
  std::vector<child> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string text = first_bytes_of(entry.path().string() + "/stat");
    const std::size_t after_name = text.rfind(") ");
    if (after_name == std::string::npos) continue;  // it is gone
    if (std::stol(text.substr(after_name + 4)) == ::getpid())
      found.push_back({static_cast<pid_t>(std::stol(name)), text[after_name + 2]});
  }
  return found;
}

inline std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

/// The threads of this process.
inline std::vector<pid_t> threads() {
  std::vector<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task"))
    found.push_back(static_cast<pid_t>(std::stol(entry.path().filename().string())));
  return found;
}

/// Returns when `is_so()`; throws where that takes more than a minute.
inline void wait_until(const std::string& what, const std::function<bool()>& is_so) {
  const auto last = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > last) throw std::runtime_error("waited in vain: " + what);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace processes

#endif
