#ifndef CKPT_CORE_ARENA_HPP
#define CKPT_CORE_ARENA_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace ckpt {

/// Memory that only grows and never moves: what it hands out stays where it is until the arena dies, also when the
/// arena itself is moved. Not for use by several threads at once.
class arena {
 public:
  arena() = default;
  arena(arena&& other) noexcept
      : m_blocks(std::move(other.m_blocks)),
        m_free(other.m_free),
        m_left(other.m_left),
        m_next_block(other.m_next_block) {
    other.m_blocks.clear();
    other.m_free = nullptr;
    other.m_left = 0;
  }
  arena& operator=(arena&& other) noexcept {
    m_blocks = std::move(other.m_blocks);
    other.m_blocks.clear();
    m_free = std::exchange(other.m_free, nullptr);
    m_left = std::exchange(other.m_left, 0);
    m_next_block = other.m_next_block;
    return *this;
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

  /// A copy of `values` that lives as long as the arena.
  template <class T>
    requires std::is_trivially_copyable_v<T>
  [[nodiscard]] std::span<T> store(std::span<const T> values) {
    if (values.empty()) return {};
    T* const to = reinterpret_cast<T*>(allocate(values.size_bytes(), alignof(T)));
    std::memcpy(static_cast<void*>(to), values.data(), values.size_bytes());
    return {to, values.size()};
  }

  [[nodiscard]] std::string_view store(std::string_view text) {
    const std::span<char> copy = store(std::span<const char>(text));
    return {copy.data(), copy.size()};
  }

 private:
  static constexpr std::size_t first_block = std::size_t{4} << 10;
  static constexpr std::size_t largest_block = std::size_t{1} << 20;

  std::byte* allocate_block(std::size_t size) {
    if (size > largest_block / 4) {  // a block of its own; the current one goes on being filled
      m_blocks.push_back(std::make_unique_for_overwrite<std::byte[]>(size));
      return m_blocks.back().get();
    }
    m_blocks.push_back(std::make_unique_for_overwrite<std::byte[]>(m_next_block > size ? m_next_block : largest_block));
    std::byte* const result = m_blocks.back().get();
    m_free = result + size;
    m_left = (m_next_block > size ? m_next_block : largest_block) - size;
    if (m_next_block < largest_block) m_next_block *= 4;
    return result;
  }

  std::vector<std::unique_ptr<std::byte[]>> m_blocks;
  std::byte* m_free = nullptr;
  std::size_t m_left = 0;
  std::size_t m_next_block = first_block;
};

}  // namespace ckpt

#endif
