#ifndef CKPT_TESTS_FAULT_FAULT_CHILD_HPP
#define CKPT_TESTS_FAULT_FAULT_CHILD_HPP

#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>

#include <ckpt/core/error.hpp>

#include "fault_inject.hpp"

namespace fault {

/// Faults happen within the scope of one of these.
class armed {
 public:
  armed() { fault_inject_arm(1); }
  armed(const armed&) = delete;
  armed& operator=(const armed&) = delete;
  ~armed() { fault_inject_arm(0); }
};

inline long open_descriptors() {
  long count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) count += entry.path().empty() ? 0 : 1;
  return count;
}

/// The exit code of a program that does `work` to the file `path`: what that returns, 3 for an io_error, 4 for an error
/// of the class `Other`, both about that file, 5 for another exception, 6 where a descriptor is left. Prints the error.
template <class Other, class Work>
int exit_code_of(Work work, const std::string& path) {
  const long before = open_descriptors();
  int result = 5;
  try {
    result = work();
  } catch (const ckpt::io_error& error) {
    std::puts(error.what());
    result = error.path() == path ? 3 : 5;
  } catch (const Other& error) {
    std::puts(error.what());
    result = error.path() == path ? 4 : 5;
  } catch (const std::exception& error) {
    std::puts(error.what());
  }
  if (open_descriptors() != before) {
    std::puts("a descriptor is left open");
    result = 6;
  }
  return result;
}

}  // namespace fault

#endif
