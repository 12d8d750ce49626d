#ifndef CKPT_TOOLS_TERMINAL_HPP
#define CKPT_TOOLS_TERMINAL_HPP

#include <cstddef>
#include <cstdlib>
#include <optional>
#include <string_view>

#include <sys/ioctl.h>
#include <unistd.h>

namespace ckpt::tools {

/// The columns of the terminal that a descriptor writes to; nothing where it is no terminal.
[[nodiscard]] inline std::optional<std::size_t> terminal_columns(int descriptor) noexcept {
  if (::isatty(descriptor) == 0) return std::nullopt;
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

/// Whether what is written to a descriptor can be drawn over.
[[nodiscard]] inline bool can_redraw(int descriptor) noexcept {
  const char* const type = std::getenv("TERM");
  return ::isatty(descriptor) != 0 && type != nullptr && std::string_view(type) != "dumb";
}

}  // namespace ckpt::tools

#endif
