#ifndef CKPT_TOOLS_STANDARD_ERROR_HPP
#define CKPT_TOOLS_STANDARD_ERROR_HPP

#include <cstddef>
#include <string_view>

#include <unistd.h>

namespace ckpt::tools {

/// Where this fails there is nowhere left to say so.
inline void print_error(std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t put = ::write(STDERR_FILENO, text.data(), text.size());
    if (put <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
}

}  // namespace ckpt::tools

#endif
