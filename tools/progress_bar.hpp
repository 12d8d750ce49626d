#ifndef CKPT_TOOLS_PROGRESS_BAR_HPP
#define CKPT_TOOLS_PROGRESS_BAR_HPP

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include <unistd.h>

#include "human_size.hpp"
#include "terminal.hpp"

namespace ckpt::tools {

/// `[#########---------------]  37%  1.1 GiB of 3.0 GiB  850.2 MiB/s  2 s left` on standard error where that is a
/// terminal, else nothing. What takes a moment only shows none. The destructor wipes it away.
class progress_bar {
 public:
  /// `at_the_end` stands in place of the time left once all bytes are done and something else is not.
  explicit progress_bar(std::string_view at_the_end = {})
      : m_at_the_end(at_the_end), m_is_shown(can_redraw(STDERR_FILENO)) {}
  progress_bar(const progress_bar&) = delete;
  progress_bar& operator=(const progress_bar&) = delete;
  ~progress_bar() { hide(); }

  void update(std::uint64_t done, std::uint64_t total) {
    if (!m_is_shown) return;
    const clock::time_point now = clock::now();
    if (done == total ? m_at_the_end.empty() || (!m_is_drawn && total < long_sync) : now < m_next) return;
    m_next = now + between;
    draw(done, total, std::chrono::duration<double>(now - m_start).count());
  }

  /// Wipes the bar, before something else is printed; the next update draws it again.
  void hide() noexcept {
    if (m_is_drawn) print("\r\x1b[K");
    m_is_drawn = false;
  }

 private:
  using clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds between{100};
  static constexpr std::chrono::milliseconds before_the_first{300};
  static constexpr std::uint64_t long_sync = std::uint64_t{64} << 20;  // bytes whose way to the disk one may wait for

  static void print(std::string_view text) noexcept {
    [[maybe_unused]] const ssize_t put = ::write(STDERR_FILENO, text.data(), text.size());
  }

  void draw(std::uint64_t done, std::uint64_t total, double seconds) {
    const double part = total == 0 ? 1 : static_cast<double>(done) / static_cast<double>(total);
    char percent[16];
    std::snprintf(percent, sizeof percent, " %3d%%", static_cast<int>(part * 100));
    std::string text = std::string(percent) + "  " + human_size(done) + " of " + human_size(total);
    if (done == total) text.append("  ").append(m_at_the_end);
    else if (seconds > 0 && done > 0) text += rate(done, total, seconds);

    const std::size_t columns = terminal_columns(STDERR_FILENO).value_or(80);
    std::string line = "\r";
    if (constexpr std::size_t shortest = 10; columns > text.size() + shortest + around) {
      std::size_t room = columns - text.size() - around;
      if (room > longest_bar) room = longest_bar;
      const auto filled = static_cast<std::size_t>(part * static_cast<double>(room));
      line += '[' + std::string(filled, '#') + std::string(room - filled, '-') + ']';
    }
    if (text.size() >= columns) text.resize(columns - 1);
    print(line + text + "\x1b[K");
    m_is_drawn = true;
  }

  [[nodiscard]] static std::string rate(std::uint64_t done, std::uint64_t total, double seconds) {
    const double speed = static_cast<double>(done) / seconds;
    const auto left = static_cast<std::uint64_t>(std::ceil(static_cast<double>(total - done) / speed));
    std::string text = "  " + human_size(static_cast<std::uint64_t>(speed)) + "/s  ";
    if (left >= 60) text += std::to_string(left / 60) + " min ";
    return text + std::to_string(left % 60) + " s left";
  }

  static constexpr std::size_t longest_bar = 40;
  static constexpr std::size_t around = 5;  // brackets, and room for the ^C of the terminal

  std::string_view m_at_the_end;
  bool m_is_shown;
  bool m_is_drawn = false;
  clock::time_point m_start = clock::now();
  clock::time_point m_next = m_start + before_the_first;
};

}  // namespace ckpt::tools

#endif
