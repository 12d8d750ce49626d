#ifndef CKPT_CORE_STREAMING_COPY_HPP
#define CKPT_CORE_STREAMING_COPY_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace ckpt {

#ifdef __SSE2__
namespace detail {

/// One cache line, past the cache. `to` is aligned to it.
inline void stream_line(std::byte* to, const std::byte* from) noexcept {
  for (std::size_t part = 0; part < 64; part += sizeof(__m128i))
    _mm_stream_si128(reinterpret_cast<__m128i*>(to + part),
                     _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + part)));
}

}  // namespace detail
#endif

/// memcpy for bytes that are not read again soon: past the cache, which spares reading the target before it is written.
/// The C library does so only for pieces larger than it takes the cache to be, which on a virtual machine may be
/// hundreds of megabytes. The spans have one size and do not overlap.
inline void streaming_copy(std::span<std::byte> to, std::span<const std::byte> from) noexcept {
  std::byte* target = to.data();
  const std::byte* source = from.data();
  std::size_t size = from.size();
#ifdef __SSE2__
  constexpr std::size_t line = 64;
  constexpr std::size_t page = 4096;
  constexpr std::size_t together = 4 * page;
  constexpr std::size_t least = std::size_t{64} << 10;  // below which it is not worth it
  if (size >= least) {
    const std::size_t head = (line - reinterpret_cast<std::uintptr_t>(target) % line) % line;
    std::memcpy(target, source, head);
    target += head;
    source += head;
    size -= head;
    // Several pages at a time: a core fetches ahead within a page, and one page leaves half of what it could fetch. The
    // next ones are fetched meanwhile, into the cache that has room for them.
    for (; size >= together; size -= together, target += together, source += together)
      for (std::size_t in_page = 0; in_page < page; in_page += line)
        for (std::size_t at = in_page; at < together; at += page) {
          _mm_prefetch(reinterpret_cast<const char*>(source + at + together), _MM_HINT_T1);
          detail::stream_line(target + at, source + at);
        }
    for (; size >= line; size -= line, target += line, source += line) detail::stream_line(target, source);
    _mm_sfence();
  }
#endif
  if (size > 0) std::memcpy(target, source, size);
}

}  // namespace ckpt

#endif
