#ifndef CKPT_CHECKPOINT_EXECUTOR_HPP
#define CKPT_CHECKPOINT_EXECUTOR_HPP

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include <ckpt/checkpoint/policies.hpp>
#include <ckpt/cipher/secret_key.hpp>
#include <ckpt/core/function_ref.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/format/plan.hpp>
#include <ckpt/io/aligned_memory.hpp>
#include <ckpt/io/sink.hpp>
#include <ckpt/model/segment.hpp>

namespace ckpt {

/// What an executor needs beside the plan; each uses what concerns it.
struct execution_options {
  const secret_key* key = nullptr;
  unsigned threads = 0;      ///< 0: one for each core
  std::string_view label{};  ///< what errors call the file
};

/// Moves the bytes of a plan into a sink. Everything it needs is allocated by the constructor: run() allocates nothing
/// and throws nothing but what the sink, the progress callback or a source of segments throws.
class executor {
 public:
  /// The plan must outlive the executor.
  explicit executor(const plan& what, const execution_options& /*options*/ = {})
      : m_plan(&what),
        m_capacity(what.size() < largest_buffer ? static_cast<std::size_t>(what.size()) : largest_buffer),
        m_memory(m_capacity),
        m_buffer(m_memory.bytes().data()) {}

  /// Bytes of the file.
  [[nodiscard]] std::uint64_t size() const noexcept { return m_plan->size(); }

  /// Small segments are put together in the buffer, large ones go to the sink from where they lie. `report(done)` is
  /// called with the bytes handed over so far, after each piece.
  template <sink Sink>
  void run(Sink& to, function_ref<void(std::uint64_t)> report) {
    m_used = 0;
    m_done = 0;
    for (const segment& next : m_plan->segments()) {
      const sequence<std::byte> bytes = next.bytes();
      if (bytes.size() >= large) {
        write_large(to, bytes, report);
        continue;
      }
      for (std::uint64_t at = 0; at < next.size();) {
        if (m_used == m_capacity) flush(to, report);
        const std::uint64_t left = next.size() - at;
        const std::size_t room = m_capacity - m_used;
        const std::size_t size = left < room ? static_cast<std::size_t>(left) : room;
        next.copy_to(at, {m_buffer + m_used, size});
        m_used += size;
        at += size;
      }
    }
    flush(to, report);
  }

  /// Segments from this size on are not copied.
  static constexpr std::size_t large = std::size_t{64} << 10;
  static constexpr std::size_t largest_buffer = std::size_t{1} << 20;
  /// A large segment is handed over in pieces that end at multiples of this in the file, between which progress is
  /// reported. Pieces that end anywhere leave the kernel with half-filled pages and small ones after them.
  static constexpr std::size_t piece = std::size_t{8} << 20;
  /// A file for which it is worth making a second thread, and a piece for which it is worth waking it.
  static constexpr std::uint64_t large_file = std::uint64_t{8} << 20;
  static constexpr std::size_t large_piece = std::size_t{256} << 10;

 private:
  template <sink Sink>
  void flush(Sink& to, function_ref<void(std::uint64_t)> report) {
    if (m_used == 0) return;
    to.write(sequence<std::byte>(m_buffer, m_used).span());
    m_done += m_used;
    m_used = 0;
    report(m_done);
  }

  template <sink Sink>
  void write_large(Sink& to, sequence<std::byte> bytes, function_ref<void(std::uint64_t)> report) {
    while (!bytes.empty()) {
      const auto room = static_cast<std::size_t>(piece - (m_done + m_used) % piece);
      const sequence<std::byte> next = bytes.first(bytes.size() < room ? bytes.size() : room);
      const sequence<std::byte> waiting(m_buffer, m_used);
      if constexpr (requires { to.write(waiting.span(), next.span()); }) {
        to.write(waiting.span(), next.span());
      } else {
        if (!waiting.empty()) to.write(waiting.span());
        to.write(next.span());
      }
      m_done += waiting.size() + next.size();
      m_used = 0;
      report(m_done);
      bytes = bytes.subspan(next.size());
    }
  }

  const plan* m_plan;
  std::size_t m_capacity;
  aligned_memory m_memory;
  std::byte* m_buffer;
  std::size_t m_used = 0;
  std::uint64_t m_done = 0;
};

namespace detail {

/// What executes a plan with a cipher and a checksum. A specialization for each stands where its executor does.
template <class Cipher, class Checksum>
struct executor_of {
  // A cipher and a checksum together were refused already.
  static_assert(std::is_same_v<Cipher, no_cipher> || !std::is_same_v<Checksum, no_checksum>,
                "ckpt: to use a cipher, include <ckpt/crypto.hpp> and link Crypto++");
  using type = executor;
};

}  // namespace detail

}  // namespace ckpt

#endif
