#ifndef CKPT_TASK_COMPANION_HPP
#define CKPT_TASK_COMPANION_HPP

#include <atomic>

#include <ckpt/core/function_ref.hpp>
#include <ckpt/task/default_threads.hpp>
#include <ckpt/task/quiet_thread.hpp>

namespace ckpt {

/// A second thread that does one thing while the calling thread does another, again and again. Only the constructor
/// allocates.
class companion {
 public:
  /// `threads` may work at once, the calling one among them; 0: one for each core. Where that is but one, or the system
  /// has none to give, the calling thread does everything.
  explicit companion(unsigned threads) noexcept {
    if (threads_or_default(threads) > 1) m_thread.start<&companion::serve>(*this);
  }
  companion(const companion&) = delete;
  companion& operator=(const companion&) = delete;

  ~companion() {
    if (m_thread.is_there()) set(state::ending);
  }

  /// Does both, and returns when both are done: `there` on the second thread, or on this one where the second has not
  /// come to it by the end of `here`, or before `here` where there is no second. `there` must not throw. What `here`
  /// throws is thrown when `there` is done, or left undone.
  void run(function_ref<void()> there, function_ref<void()> here) {
    if (!m_thread.is_there()) {
      there();
      here();
      return;
    }
    m_work = &there;
    set(state::offered);
    try {
      here();
    } catch (...) {
      (void)take_back();
      throw;
    }
    if (take_back()) there();
  }

 private:
  enum class state : int { idle, offered, taken, ending };

  void set(state next) noexcept {
    m_state = next;
    m_state.notify_one();
  }

  /// Whether the second thread has not come to it; else it is done now.
  [[nodiscard]] bool take_back() noexcept {
    state expected = state::offered;
    if (m_state.compare_exchange_strong(expected, state::idle)) return true;
    m_state.wait(state::taken);
    return false;
  }

  void serve() noexcept {
    for (;;) {
      m_state.wait(state::idle);
      if (m_state == state::ending) return;
      state expected = state::offered;
      if (!m_state.compare_exchange_strong(expected, state::taken)) continue;  // it was taken back
      (*m_work)();
      set(state::idle);
    }
  }

  std::atomic<state> m_state{state::idle};
  const function_ref<void()>* m_work = nullptr;  // while offered and taken
  quiet_thread m_thread;                         // last: it is joined first
};

}  // namespace ckpt

#endif
