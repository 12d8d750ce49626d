#ifndef CKPT_TOOLS_STANDARD_OUTPUT_HPP
#define CKPT_TOOLS_STANDARD_OUTPUT_HPP

#include <cerrno>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include <unistd.h>

#include <ckpt/core/error.hpp>
#include <ckpt/io/sink.hpp>

namespace ckpt::tools {

/// Standard output, buffered, with every failure an io_error: output that is lost on a full disk must not look fine. A
/// reader that goes away ends the process by SIGPIPE, as it does every command.
class standard_output {
 public:
  void print(std::string_view text) {
    m_buffer.append(text);
    if (m_buffer.size() >= largest_buffer) flush();
  }

  /// Bytes as they are.
  void write(std::span<const std::byte> bytes) {
    flush();
    write_all({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }

  /// To be called at the end: the destructor does not.
  void flush() {
    write_all(m_buffer);
    m_buffer.clear();
  }

 private:
  static constexpr std::size_t largest_buffer = std::size_t{64} << 10;

  static void write_all(std::string_view text) {
    while (!text.empty()) {
      const ssize_t put = ::write(STDOUT_FILENO, text.data(), text.size());
      if (put >= 0) text.remove_prefix(static_cast<std::size_t>(put));
      else if (errno != EINTR)
        throw io_error({errno, std::system_category()}, {.path = "standard output"}, "cannot write");
    }
  }

  std::string m_buffer;
};

static_assert(sink<standard_output>);

}  // namespace ckpt::tools

#endif
