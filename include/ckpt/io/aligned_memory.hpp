#ifndef CKPT_IO_ALIGNED_MEMORY_HPP
#define CKPT_IO_ALIGNED_MEMORY_HPP

#include <cstddef>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

#include <ckpt/core/byte_span.hpp>
#include <ckpt/core/trivial_swap.hpp>

namespace ckpt {

/// Uninitialized memory aligned to 64 bytes; a large piece in huge pages where the system has them to give, since a
/// page fault for every 4 KiB costs more than the bytes themselves.
class aligned_memory {
 public:
  static constexpr std::size_t alignment = 64;

  aligned_memory() = default;

  /// Throws std::bad_alloc.
  explicit aligned_memory(std::size_t size) : m_size(size), m_alignment(size < huge_page ? alignment : huge_page) {
    if (size == 0) return;
    m_bytes = static_cast<std::byte*>(::operator new(size, std::align_val_t{m_alignment}));
#ifdef __linux__
    if (size >= huge_page)
      (void)::madvise(m_bytes, size / huge_page * huge_page, MADV_HUGEPAGE);  // advice: may be refused
#endif
  }
  aligned_memory(aligned_memory&& other) noexcept { swap(other); }
  aligned_memory& operator=(aligned_memory other) noexcept {
    swap(other);
    return *this;
  }
  ~aligned_memory() {
    if (m_bytes != nullptr) ::operator delete(m_bytes, std::align_val_t{m_alignment});
  }

  [[nodiscard]] byte_span bytes() const noexcept { return {m_bytes, m_size}; }

 private:
  static constexpr std::size_t huge_page = std::size_t{2} << 20;

  void swap(aligned_memory& other) noexcept {
    trivial_swap(m_bytes, other.m_bytes);
    trivial_swap(m_size, other.m_size);
    trivial_swap(m_alignment, other.m_alignment);
  }

  std::byte* m_bytes = nullptr;
  std::size_t m_size = 0;
  std::size_t m_alignment = alignment;
};

}  // namespace ckpt

#endif
