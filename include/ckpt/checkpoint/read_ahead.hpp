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

/// Goes ahead of who writes, on a thread of its own, and fetches what is written next into the cache: that takes a
/// fraction of the time of the kernel's copy, which then waits for memory no more. Where others have the cores it
/// fetches next to nothing: it interrupts nobody, and sees by the pieces that it missed that it had to wait.
class fetcher {
 public:
  fetcher(const fetcher&) = delete;
  fetcher& operator=(const fetcher&) = delete;

  /// What is written now.
  void announce(sequence<std::byte> piece) noexcept {
    m_begin.store(piece.data(), std::memory_order_relaxed);
    m_size.store(piece.size(), std::memory_order_relaxed);
    ++m_number;
    wake();
  }

  /// There is no more. The caller is through with this, and the thread, in this process, with everything.
  void end() noexcept {
    m_is_ending = true;
    ++m_number;
    wake();
    finish();
  }

 protected:
  constexpr fetcher() noexcept = default;
  ~fetcher() = default;

  /// What the thread does: fetches the piece that was announced last. By hints alone: the memory may be given back by
  /// now, or begin and size be of two pieces; and memory that cannot be read, as that of a mapped file that was cut
  /// short, is the kernel's to refuse.
  void run() noexcept {
    interrupt_nobody();
    unsigned number = 0;
    for (unsigned late = 0;;) {
      wait(number);
      if (m_is_ending) return;
      const unsigned newest = m_number;
      late = newest - number > 1 ? late + 1 : 0;
      number = newest;
      if (late > few && late % many != 0) continue;
      const std::byte* const begin = m_begin.load(std::memory_order_relaxed);
      const std::size_t size = m_size.load(std::memory_order_relaxed);
      prepare(begin, size);
      for (std::size_t at = 0; at < size && m_number.load(std::memory_order_relaxed) == number; at += page)
        for (std::size_t next = at; next < at + page; next += line) __builtin_prefetch(begin + next);
    }
  }

  std::atomic<unsigned> m_number{0};  // of pieces, and of the end

 private:
  // Who sleeps is late now and then, and who is late each time has no core to itself; but it may have one again.
  static constexpr unsigned few = 3;
  static constexpr unsigned many = 16;
  static constexpr std::size_t page = 4096;
  static constexpr std::size_t line = 64;

  /// wait(number) returns when m_number is another; wake() is called when it has become one.
  virtual void wait(unsigned number) noexcept = 0;
  virtual void wake() noexcept = 0;
  /// Before memory is fetched.
  virtual void prepare(const std::byte* /*begin*/, std::size_t /*size*/) noexcept {}
  /// At the end, on the side of who writes.
  virtual void finish() noexcept = 0;

  std::atomic<const std::byte*> m_begin{nullptr};
  std::atomic<std::size_t> m_size{0};
  std::atomic<bool> m_is_ending{false};
};

/// The one of this process.
class thread_fetcher final : public fetcher {
 public:
  /// Null where the system has no thread to give.
  [[nodiscard]] static fetcher* start() {
    owner<thread_fetcher> started(new thread_fetcher);
    started->m_thread.start<&thread_fetcher::run>(*started);
    return started->m_thread.is_there() ? started.release() : nullptr;
  }

 private:
  void wait(unsigned number) noexcept override { m_number.wait(number); }
  void wake() noexcept override { m_number.notify_one(); }
  void finish() noexcept override { delete this; }

  quiet_thread m_thread;  // last: it is joined first
};

/// A file as a sink, of which a fetcher fetches each large piece while it is written. Only the constructor allocates.
class read_ahead {
 public:
  /// No fetcher where `threads` is 1 (0: one for each core), or the file is not large. The file must outlive this.
  read_ahead(atomic_file& to, unsigned threads)
      : read_ahead(to, threads_or_default(threads) > 1 ? &thread_fetcher::start : nullptr) {}
  /// `start` makes the fetcher, or returns null; it is asked where the file is large.
  read_ahead(atomic_file& to, fetcher* (*start)())
      : m_to(&to), m_fetcher(start != nullptr && to.size() >= executor::large_file ? start() : nullptr) {}
  read_ahead(const read_ahead&) = delete;
  read_ahead& operator=(const read_ahead&) = delete;
  ~read_ahead() {
    if (m_fetcher != nullptr) m_fetcher->end();
  }

  void write(std::span<const std::byte> bytes) { write({}, bytes); }
  void write(sequence<std::byte> first, sequence<std::byte> rest) {
    if (m_fetcher == nullptr) return m_to->write(first, rest);
    do {
      const std::size_t room = piece - static_cast<std::size_t>((m_to->written() + first.size()) % piece);
      const sequence<std::byte> next = rest.first(rest.size() < room ? rest.size() : room);
      if (next.size() >= executor::large_piece) m_fetcher->announce(next);
      m_to->write(first, next);
      first = {};
      rest = rest.subspan(next.size());
    } while (!rest.empty());
  }

  /// What is written and fetched at a time, between multiples of this in the file: more would leave the cache before it
  /// is written.
  static constexpr std::size_t piece = std::size_t{512} << 10;

 private:
  atomic_file* m_to;
  fetcher* m_fetcher;
};

}  // namespace ckpt::detail

#endif
