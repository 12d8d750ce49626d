#ifndef CKPT_TESTS_UNIT_IO_FORKED_HPP
#define CKPT_TESTS_UNIT_IO_FORKED_HPP

#include <csignal>
#include <stdexcept>

#include <sys/wait.h>
#include <unistd.h>

namespace scratch {

/// How a forked process ends, as waitpid says, that exits with what `work` returns: 0 is good. Whoever waits there for
/// ever is killed after a minute.
template <class Work>
int status_of_forked(Work work) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    ::_exit(work());
  }
  int status = -1;
  return ::waitpid(child, &status, 0) == child ? status : -1;
}

/// Another process, which has done `work` when this is constructed and then does nothing until it is killed. `work` is
/// given a function that says it is as good as done, for work that does not return.
class forked {
 public:
  template <class Work>
  explicit forked(Work work) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
    m_child = ::fork();
    if (m_child == 0) {
      const auto done = [&] {
        static_cast<void>(::write(ends[1], "", 1) == 1);
        while (true) ::pause();
      };
      try {
        work(done);
        done();
      } catch (...) {
      }
      ::_exit(1);
    }
    char byte = 0;
    ::close(ends[1]);
    const bool is_done = ::read(ends[0], &byte, 1) == 1;
    ::close(ends[0]);
    if (!is_done) throw std::runtime_error("the other process failed");
  }
  forked(const forked&) = delete;
  forked& operator=(const forked&) = delete;
  ~forked() { kill(); }

  [[nodiscard]] pid_t id() const { return m_child; }
  void kill() {
    if (m_child <= 0) return;
    ::kill(m_child, SIGKILL);
    ::waitpid(m_child, nullptr, 0);
    m_child = 0;
  }

 private:
  pid_t m_child = 0;
};

}  // namespace scratch

#endif
