#ifndef CKPT_TESTS_FAULT_FAULT_CHILD_HPP
#define CKPT_TESTS_FAULT_FAULT_CHILD_HPP

#include <filesystem>

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

}  // namespace fault

#endif
