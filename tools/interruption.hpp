#ifndef CKPT_TOOLS_INTERRUPTION_HPP
#define CKPT_TOOLS_INTERRUPTION_HPP

#include <array>
#include <csignal>
#include <cstddef>

namespace ckpt::tools {

/// Thrown where a signal asked the process to end. Not an error: whoever catches it ends the process by that signal.
struct interrupted {
  int signal;
};

/// For as long as it lives, SIGINT, SIGTERM and SIGHUP do not end the process at once, but make check() throw: so that
/// a file that is being written is taken away. The second such signal ends it.
class interruption {
 public:
  interruption() noexcept {
    struct sigaction action{};
    action.sa_handler = [](int signal) { s_signal = signal; };
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
    ::sigemptyset(&action.sa_mask);
    for (std::size_t i = 0; i < signals.size(); ++i) {
      ::sigaction(signals[i], nullptr, &m_before[i]);
      if (m_before[i].sa_handler != SIG_IGN) ::sigaction(signals[i], &action, nullptr);  // nohup stays in force
    }
  }
  interruption(const interruption&) = delete;
  interruption& operator=(const interruption&) = delete;
  ~interruption() {
    for (std::size_t i = 0; i < signals.size(); ++i) ::sigaction(signals[i], &m_before[i], nullptr);
  }

  static void check() {
    if (s_signal != 0) throw interrupted{s_signal};
  }

 private:
  static constexpr std::array<int, 3> signals{SIGINT, SIGTERM, SIGHUP};

  static inline volatile std::sig_atomic_t s_signal = 0;
  std::array<struct sigaction, signals.size()> m_before{};
};

}  // namespace ckpt::tools

#endif
