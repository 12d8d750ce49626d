#ifndef CKPT_TOOLS_EXIT_CODE_HPP
#define CKPT_TOOLS_EXIT_CODE_HPP

#include <stdexcept>

#include <ckpt/core/error.hpp>

namespace ckpt::tools {

/// What a command tells the shell.
enum class exit_code : int {
  fine = 0,
  refused = 1,  ///< files differ, or a content is not what it should be
  usage = 2,
  io = 3,
};

/// A command line that makes no sense, found after it was parsed.
class command_line_error : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

[[nodiscard]] inline exit_code exit_code_of(const error& problem) noexcept {
  if (dynamic_cast<const io_error*>(&problem) != nullptr || problem.code() == errc::changed) return exit_code::io;
  // A usage_error that names an entry is about what a file holds and another format cannot.
  if (dynamic_cast<const usage_error*>(&problem) != nullptr && problem.name().empty() && problem.facts().noun.empty())
    return exit_code::usage;
  return exit_code::refused;
}

}  // namespace ckpt::tools

#endif
