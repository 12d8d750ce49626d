#ifndef CKPT_CHECKPOINT_SNAPSHOT_HPP
#define CKPT_CHECKPOINT_SNAPSHOT_HPP

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include <ckpt/checkpoint/stopwatch.hpp>
#include <ckpt/core/function_ref.hpp>
#include <ckpt/core/streaming_copy.hpp>
#include <ckpt/format/plan.hpp>
#include <ckpt/format/plan_cursor.hpp>
#include <ckpt/io/sink.hpp>
#include <ckpt/task/default_threads.hpp>
#include <ckpt/task/parallel.hpp>

namespace ckpt::detail {

/// The bytes of a plan as they are at one moment. take() copies them into an image of the file, after which what the
/// plan borrows may change. write(), on another thread, need not wait for that: it begins with what nobody has copied
/// yet, and the two meet somewhere in between.
class snapshot {
 public:
  /// `image` is of as many bytes as the file. They lie there as in the file, which is also how the kernel copies them
  /// fastest. Both must outlive this. `patience`: the seconds of a write after which the next one is not waited for.
  snapshot(const plan& what, std::span<std::byte> image, double patience = 0.005)
      : m_image(image),
        m_is_in_order(what.reads_source()),
        m_patience(patience),
        m_end((image.size() + piece_size - 1) / piece_size) {
    m_starts.reserve(m_end);
    plan_cursor at;
    at.seek(what, 0);
    for (std::size_t piece = 0; piece < m_end; ++piece) {
      m_starts.push_back(at);
      at.skip(place(piece).size());
    }
  }
  snapshot(const snapshot&) = delete;
  snapshot& operator=(const snapshot&) = delete;

  /// Copies what is left, by several threads (0: one for each core), and returns when nothing is looked at any more
  /// but the image. What is read from a source is read in order. Throws what a source of segments throws, and nothing
  /// where the plan has none. Notes the lap of `watch` that ends then.
  void take(unsigned threads, stopwatch& watch) {
    const std::size_t most = m_is_in_order ? 1 : std::max(m_starts.size(), std::size_t{1});
    run_parallel(static_cast<unsigned>(std::min<std::size_t>(threads_or_default(threads), most)),
                 [&](parallel_work&, unsigned) {
                   std::size_t piece = 0;
                   while (m_is_in_order ? begin_first(piece) : begin_last(piece)) {
                     const held_piece held(*this);
                     copy(m_starts[piece], place(piece));
                   }
                 });
    std::unique_lock lock(m_mutex);
    m_changed.wait(lock, [this] { return m_copying == 0; });
    m_seconds = watch.lap();
    m_is_taken = true;
    m_changed.notify_all();  // with the lock: without it, whoever waits may have destroyed this
  }

  /// Returns when take() has, and is through with this.
  void wait() const {
    std::unique_lock lock(m_mutex);
    m_changed.wait(lock, [this] { return m_is_taken; });
  }
  /// What take() has noted; after wait().
  [[nodiscard]] double seconds() const noexcept { return m_seconds; }

  /// Hands all bytes over in order, and returns after take() has: what is written before that to `hot`, the rest from
  /// the image to `cold`, a sink for the same bytes. `report` as executor::run. What lies in one piece goes to `hot`
  /// from there, and take() waits for the one write in which it may be then; but after a write that took long, as on a
  /// disk that cannot keep up, bytes are copied before they are written, and nobody who writes is waited for. Not where
  /// the plan reads from a source, unless take() has returned. Throws what the sinks and `report` throw; then take()
  /// may still be looking at the plan.
  template <sink Hot, sink Cold>
  void write(Hot& hot, Cold& cold, function_ref<void(std::uint64_t)> report) {
    std::size_t done = 0;
    const auto note = [&](std::size_t written) {
      done += written;
      report(done);
    };
    bool is_quick = false;
    const auto write_now = [&](std::span<const std::byte> bytes) {
      stopwatch watch;
      hot.write(bytes);
      is_quick = watch.lap() < m_patience;
    };
    for (std::size_t piece = 0; begin_first(piece);) {
      const std::size_t size = place(piece).size();
      if (const std::span<const std::byte> run = m_starts[piece].run(); is_quick && run.size() >= size) {
        const held_piece held(*this);
        write_now(run.first(size));
      } else {
        // The place of the first piece is free from then on: whoever begins with one from the front has begun with it.
        const std::span<std::byte> buffer = m_image.first(size);
        {
          const held_piece held(*this);
          m_starts[piece].read(buffer);
        }
        write_now(buffer);
      }
      note(size);
    }
    wait();
    while (done < m_image.size()) {
      const std::span<std::byte> next = place(done / piece_size);
      cold.write(next);
      note(next.size());
    }
  }

 private:
  /// Few enough bytes to be in the cache of a core while they are written.
  static constexpr std::size_t piece_size = std::size_t{512} << 10;

  /// As long as it lives, a piece that was begun with is being read.
  class held_piece {
   public:
    explicit held_piece(snapshot& of) noexcept : m_of(&of) {}
    held_piece(const held_piece&) = delete;
    held_piece& operator=(const held_piece&) = delete;
    ~held_piece() { m_of->end_piece(); }

   private:
    snapshot* m_of;
  };

  [[nodiscard]] std::span<std::byte> place(std::size_t piece) const noexcept {
    const std::size_t begin = piece * piece_size;
    return m_image.subspan(begin, std::min(piece_size, m_image.size() - begin));
  }

  /// The first or last piece that nobody has begun with; false where there is none.
  [[nodiscard]] bool begin_first(std::size_t& piece) noexcept {
    const std::lock_guard lock(m_mutex);
    if (m_begin == m_end) return false;
    piece = m_begin++;
    ++m_copying;
    return true;
  }
  [[nodiscard]] bool begin_last(std::size_t& piece) noexcept {
    const std::lock_guard lock(m_mutex);
    if (m_begin == m_end) return false;
    piece = --m_end;
    ++m_copying;
    return true;
  }
  void end_piece() noexcept {
    {
      const std::lock_guard lock(m_mutex);
      if (--m_copying > 0) return;
    }
    m_changed.notify_all();
  }

  /// Copies past the cache where the bytes lie in one large piece.
  static void copy(plan_cursor from, std::span<std::byte> to) {
    constexpr std::size_t gathered = std::size_t{64} << 10;  // at a time
    while (!to.empty()) {
      const std::span<const std::byte> run = from.run();
      const std::size_t size = std::min(run.empty() ? gathered : run.size(), to.size());
      if (run.empty()) {
        from.read(to.first(size));
      } else {
        streaming_copy(to.first(size), run.first(size));
        from.skip(size);
      }
      to = to.subspan(size);
    }
  }

  const std::span<std::byte> m_image;
  const bool m_is_in_order;
  const double m_patience;
  std::vector<plan_cursor> m_starts;  // of the pieces

  mutable std::mutex m_mutex;  // of the rest
  mutable std::condition_variable m_changed;
  std::size_t m_begin = 0;    // from here
  std::size_t m_end;          // to here nobody has begun with a piece
  std::size_t m_copying = 0;  // pieces that are held
  bool m_is_taken = false;
  double m_seconds = 0;
};

}  // namespace ckpt::detail

#endif
