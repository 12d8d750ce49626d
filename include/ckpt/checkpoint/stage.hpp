#ifndef CKPT_CHECKPOINT_STAGE_HPP
#define CKPT_CHECKPOINT_STAGE_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include <ckpt/core/streaming_copy.hpp>
#include <ckpt/format/plan.hpp>
#include <ckpt/format/plan_cursor.hpp>
#include <ckpt/task/parallel.hpp>

namespace ckpt::detail {

/// Copies the next bytes, past the cache where they lie in one large piece.
inline void copy(plan_cursor& from, std::span<std::byte> to) {
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

/// Copies the whole file into `image`, of as many bytes, by several threads, and makes the plan one of the image: where
/// its bytes came from may change. They lie in the image as in the file, which is also how the kernel copies them
/// fastest. `threads`: 0 for one for each core. Throws what a source of segments throws.
inline void stage(plan& what, std::span<std::byte> image, unsigned threads) {
  constexpr std::size_t least = std::size_t{4} << 20;  // of a thread's work, for which it is worth being made
  if (threads == 0) threads = default_threads();
  if (what.reads_source()) threads = 1;  // it is read in order
  const std::size_t size = std::max(least, image.size() / threads / 4 + 1);
  const std::size_t pieces = (image.size() + size - 1) / size;
  if (pieces > 0) {
    run_parallel(static_cast<unsigned>(std::min<std::size_t>(threads, pieces)), [&](parallel_work& work, unsigned) {
      for (std::size_t piece = work.take(pieces); piece < pieces; piece = work.take(pieces)) {
        plan_cursor from;
        from.seek(what, std::uint64_t{piece} * size);
        copy(from, image.subspan(piece * size, std::min(size, image.size() - piece * size)));
      }
    });
  }
  what.replace_by(image);
}

}  // namespace ckpt::detail

#endif
