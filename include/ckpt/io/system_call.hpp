#ifndef CKPT_IO_SYSTEM_CALL_HPP
#define CKPT_IO_SYSTEM_CALL_HPP

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <sys/types.h>

#include <ckpt/core/error.hpp>

namespace ckpt {

static_assert(sizeof(off_t) == 8, "ckpt needs 64-bit file offsets: compile with -D_FILE_OFFSET_BITS=64");

/// Calls a system call again for as long as a signal interrupts it. Returns what it returned.
template <class Call>
auto uninterrupted(Call call) noexcept {
  for (;;) {
    const auto result = call();
    if (result != -1 || errno != EINTR) return result;
  }
}

/// The reason of the system call that has just failed.
[[nodiscard]] inline std::error_code last_error() noexcept { return {errno, std::system_category()}; }

using io_error_handler = void (*)(std::error_code cause, std::string_view text, std::optional<std::uint64_t> offset);

/// What throw_io_error calls in place of throwing, where it is set; it must not return. For a forked child, which may
/// neither allocate nor throw, and has this variable to itself.
inline constinit io_error_handler instead_of_io_error = nullptr;

/// Throws io_error: `path: text: reason[, at byte offset]`. Take `last_error()` before anything that allocates.
[[noreturn]] inline void throw_io_error(std::error_code cause, const std::string& path, std::string_view text,
                                        std::optional<std::uint64_t> offset = {}) {
  if (instead_of_io_error != nullptr) instead_of_io_error(cause, text, offset);
  throw io_error(cause, {.path = path, .offset = offset}, text);
}

}  // namespace ckpt

#endif
