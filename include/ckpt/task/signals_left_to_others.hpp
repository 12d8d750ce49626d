#ifndef CKPT_TASK_SIGNALS_LEFT_TO_OTHERS_HPP
#define CKPT_TASK_SIGNALS_LEFT_TO_OTHERS_HPP

#include <csignal>

#include <pthread.h>

namespace ckpt {

/// Threads that are made while this lives get no signals: the application's handlers run on its own threads.
class signals_left_to_others {
 public:
  signals_left_to_others() noexcept {
    sigset_t all;
    ::sigfillset(&all);
    constexpr int own_faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP};
    for (const int own_fault : own_faults) ::sigdelset(&all, own_fault);
    ::pthread_sigmask(SIG_BLOCK, &all, &m_before);
  }
  signals_left_to_others(const signals_left_to_others&) = delete;
  signals_left_to_others& operator=(const signals_left_to_others&) = delete;
  ~signals_left_to_others() { ::pthread_sigmask(SIG_SETMASK, &m_before, nullptr); }

 private:
  sigset_t m_before;
};

}  // namespace ckpt

#endif
