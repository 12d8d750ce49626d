#ifndef CKPT_CHECKPOINT_READ_AHEAD_HPP
#define CKPT_CHECKPOINT_READ_AHEAD_HPP

#include <cstddef>
#include <span>

#include <ckpt/checkpoint/executor.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/io/atomic_file.hpp>
#include <ckpt/task/companion.hpp>

namespace ckpt::detail {

/// A file as a sink, of which a second thread fetches each large piece into the cache while it is written: that takes a
/// fraction of the time of the kernel's copy, which then waits for memory no more. Only the constructor allocates.
class read_ahead {
 public:
  /// No second thread where `threads` is 1 (0: one for each core), or the file is not large. The file must outlive
  /// this.
  read_ahead(atomic_file& to, unsigned threads) noexcept
      : m_to(&to), m_second(to.size() < executor::large_file ? 1 : threads) {}

  void write(std::span<const std::byte> bytes) { write({}, bytes); }
  void write(sequence<std::byte> first, sequence<std::byte> rest) {
    if (rest.size() >= executor::large_piece && m_second.is_there())
      m_second.run([&] { fetch(rest); }, [&] { m_to->write(first, rest); });
    else m_to->write(first, rest);
  }

 private:
  /// By hints alone: memory that cannot be read, as that of a mapped file that was cut short, is the kernel's to
  /// refuse.
  static void fetch(sequence<std::byte> bytes) noexcept {
    constexpr std::size_t line = 64;
    for (std::size_t at = 0; at < bytes.size(); at += line) __builtin_prefetch(bytes.data() + at);
  }

  atomic_file* m_to;
  companion m_second;
};

}  // namespace ckpt::detail

#endif
