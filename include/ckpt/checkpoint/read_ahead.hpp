#ifndef CKPT_CHECKPOINT_READ_AHEAD_HPP
#define CKPT_CHECKPOINT_READ_AHEAD_HPP

#include <atomic>
#include <cstddef>
#include <span>

#include <ckpt/checkpoint/executor.hpp>
#include <ckpt/core/owner.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/io/atomic_file.hpp>
#include <ckpt/task/default_threads.hpp>
#include <ckpt/task/quiet_thread.hpp>

namespace ckpt::detail {

/// A file as a sink, of which a second thread fetches each large piece into the cache while it is written: that takes a
/// fraction of the time of the kernel's copy, which then waits for memory no more. It runs on a core that is idle, or
/// not at all (Linux), and nobody waits for it, not even for its end. Only the constructor allocates.
class read_ahead {
 public:
  /// No second thread where `threads` is 1 (0: one for each core), or the file is not large. The file must outlive
  /// this.
  read_ahead(atomic_file& to, unsigned threads) : m_to(&to) {
    if (threads == 0) threads = default_threads();
    if (threads < 2 || to.size() < executor::large_file) return;
    owner<fetcher> started(new fetcher);
    if (start_detached<&fetcher::run>(*started)) m_fetcher = started.release();
  }
  read_ahead(const read_ahead&) = delete;
  read_ahead& operator=(const read_ahead&) = delete;
  ~read_ahead() {
    if (m_fetcher != nullptr) m_fetcher->end();
  }

  void write(std::span<const std::byte> bytes) { write({}, bytes); }
  void write(sequence<std::byte> first, sequence<std::byte> rest) {
    if (m_fetcher != nullptr && rest.size() >= executor::large_piece) m_fetcher->announce(rest);
    m_to->write(first, rest);
  }

 private:
  /// What both threads look at; the one that comes last to its end deletes it.
  class fetcher {
   public:
    void announce(sequence<std::byte> piece) noexcept {
      m_begin.store(piece.data(), std::memory_order_relaxed);
      m_size.store(piece.size(), std::memory_order_relaxed);
      ++m_number;
      m_number.notify_one();
    }

    void end() noexcept {
      m_is_ending = true;
      ++m_number;
      m_number.notify_one();
      leave();
    }

    /// Fetches the piece that was announced last. By hints alone: the memory may be given back by now, or begin and
    /// size be of two pieces; and memory that cannot be read, as that of a mapped file that was cut short, is the
    /// kernel's to refuse.
    void run() noexcept {
      run_when_idle();
      for (unsigned number = 0; !m_is_ending;) {
        m_number.wait(number);
        number = m_number;
        const std::byte* const begin = m_begin.load(std::memory_order_relaxed);
        const std::size_t size = m_size.load(std::memory_order_relaxed);
        for (std::size_t at = 0; at < size && m_number.load(std::memory_order_relaxed) == number; at += page)
          for (std::size_t next = at; next < at + page; next += line) __builtin_prefetch(begin + next);
      }
      leave();
    }

   private:
    static constexpr std::size_t page = 4096;
    static constexpr std::size_t line = 64;

    void leave() noexcept {
      if (--m_users == 0) delete this;
    }

    std::atomic<const std::byte*> m_begin{nullptr};
    std::atomic<std::size_t> m_size{0};
    std::atomic<unsigned> m_number{0};  // of pieces
    std::atomic<bool> m_is_ending{false};
    std::atomic<int> m_users{2};
  };

  atomic_file* m_to;
  fetcher* m_fetcher = nullptr;
};

}  // namespace ckpt::detail

#endif
