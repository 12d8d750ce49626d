#ifndef CKPT_CORE_ARENA_HPP
#define CKPT_CORE_ARENA_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

#include <ckpt/core/sequence.hpp>
#include <ckpt/core/trivial_swap.hpp>
#include <ckpt/core/trivially_copyable.hpp>

namespace ckpt {

/// Memory that only grows and never moves: what it hands out stays where it is until the arena dies, also when the
/// arena itself is moved. Not for use by several threads at once.
class arena {
 public:
  arena() = default;
  arena(arena&& other) noexcept : arena() { *this = std::move(other); }
  arena& operator=(arena&& other) noexcept {
    trivial_swap(m_last, other.m_last);
    trivial_swap(m_free, other.m_free);
    trivial_swap(m_left, other.m_left);
    trivial_swap(m_next_block, other.m_next_block);
    return *this;
  }
  ~arena() {
    while (m_last != nullptr) {
      block* const gone = m_last;
      m_last = gone->previous;
      ::operator delete(gone);
    }
  }

  /// `size` uninitialized bytes, aligned to `alignment` (a power of two up to 16). Throws std::bad_alloc.
  [[nodiscard]] std::byte* allocate(std::size_t size, std::size_t alignment = 1) {
    const std::size_t pad = (0 - reinterpret_cast<std::uintptr_t>(m_free)) & (alignment - 1);
    if (m_left < pad || m_left - pad < size) return allocate_block(size);
    std::byte* const result = m_free + pad;
    m_free = result + size;
    m_left -= pad + size;
    return result;
  }

  /// A copy of the `count` values from `from` on that lives as long as the arena; nullptr where `count` is 0.
  template <class T>
    requires trivially_copyable<T>
  [[nodiscard]] const T* store(const T* from, std::size_t count) {
    if (count == 0) return nullptr;
    T* const to = reinterpret_cast<T*>(allocate(count * sizeof(T), alignof(T)));
    std::memcpy(static_cast<void*>(to), from, count * sizeof(T));
    return to;
  }

  template <class T>
  [[nodiscard]] sequence<T> store(sequence<T> values) {
    return {store(values.data(), values.size()), values.size()};
  }

  [[nodiscard]] std::string_view store(std::string_view text) { return {store(text.data(), text.size()), text.size()}; }

 private:
  static constexpr std::size_t first_block = std::size_t{4} << 10;
  static constexpr std::size_t largest_block = std::size_t{1} << 20;

  /// What stands before the bytes of each block.
  struct alignas(16) block {
    block* previous;
  };

  std::byte* allocate_block(std::size_t size) {
    if (size > largest_block / 4) return add_block(size);  // of its own; the current one goes on being filled
    const std::size_t room = m_next_block > size ? m_next_block : largest_block;
    std::byte* const result = add_block(room);
    m_free = result + size;
    m_left = room - size;
    if (m_next_block < largest_block) m_next_block *= 4;
    return result;
  }

  std::byte* add_block(std::size_t size) {
    if (size > ~std::size_t{0} - sizeof(block)) throw std::bad_alloc();
    m_last = new (::operator new(sizeof(block) + size)) block{m_last};
    return reinterpret_cast<std::byte*>(m_last + 1);
  }

  block* m_last = nullptr;
  std::byte* m_free = nullptr;
  std::size_t m_left = 0;
  std::size_t m_next_block = first_block;
};

}  // namespace ckpt

#endif
