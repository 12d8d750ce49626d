#ifndef CKPT_TESTS_UNIT_CHECKPOINT_HELD_QUEUE_HPP
#define CKPT_TESTS_UNIT_CHECKPOINT_HELD_QUEUE_HPP

#include <atomic>
#include <string>
#include <vector>

#include <ckpt/async.hpp>

/// A queue whose saves wait for their turn until they are let go.
class held_queue {
 public:
  /// `path`: of a save that holds up the others, and has begun.
  explicit held_queue(const std::string& path)
      : m_first(ckpt::save_async(std::vector<ckpt::parameter>(), path,
                                 {.progress =
                                      [this](ckpt::progress) {
                                        m_is_begun = true;
                                        m_is_begun.notify_all();
                                        m_is_let_go.wait(false);
                                      },
                                  .durability = ckpt::durability::none,
                                  .permissions = 0600,
                                  .mode = ckpt::async::thread,
                                  .queue = m_queue})) {
    m_is_begun.wait(false);
  }
  held_queue(const held_queue&) = delete;
  held_queue& operator=(const held_queue&) = delete;
  ~held_queue() { let_go(); }

  [[nodiscard]] const ckpt::save_queue& queue() const { return m_queue; }

  void let_go() {
    m_is_let_go = true;
    m_is_let_go.notify_all();
    m_first.wait();
  }

 private:
  std::atomic<bool> m_is_begun{false};
  std::atomic<bool> m_is_let_go{false};
  ckpt::save_queue m_queue;
  ckpt::save_job m_first;
};

#endif
