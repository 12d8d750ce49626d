#ifndef CKPT_CORE_TRIVIAL_VECTOR_HPP
#define CKPT_CORE_TRIVIAL_VECTOR_HPP

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

#include <ckpt/core/trivial_swap.hpp>
#include <ckpt/core/trivially_copyable.hpp>

namespace ckpt {

/// What this library needs of a std::vector, for elements that may be copied byte by byte. It grows by realloc, which
/// moves large blocks without copying them, and costs a program that includes it a fraction of the time to compile.
/// Pointers into it are valid until it grows. Whatever makes room throws std::bad_alloc, and changes nothing
/// then.
template <class T>
class trivial_vector {
  static_assert(trivially_copyable<T> && alignof(T) <= alignof(std::max_align_t));

 public:
  trivial_vector() noexcept = default;
  /// Copies of the `count` elements from `from` on.
  trivial_vector(const T* from, std::size_t count) { append(from, count); }
  trivial_vector(const trivial_vector& other) { append(other.m_data, other.m_size); }
  trivial_vector(trivial_vector&& other) noexcept { swap(other); }
  trivial_vector& operator=(trivial_vector other) noexcept {
    swap(other);
    return *this;
  }
  ~trivial_vector() { std::free(m_data); }

  [[nodiscard]] std::size_t size() const noexcept { return m_size; }
  [[nodiscard]] bool empty() const noexcept { return m_size == 0; }
  [[nodiscard]] T* data() noexcept { return m_data; }
  [[nodiscard]] const T* data() const noexcept { return m_data; }
  [[nodiscard]] T* begin() noexcept { return m_data; }
  [[nodiscard]] const T* begin() const noexcept { return m_data; }
  [[nodiscard]] T* end() noexcept { return m_data + m_size; }
  [[nodiscard]] const T* end() const noexcept { return m_data + m_size; }
  [[nodiscard]] T& operator[](std::size_t position) noexcept { return m_data[position]; }
  [[nodiscard]] const T& operator[](std::size_t position) const noexcept { return m_data[position]; }
  [[nodiscard]] T& back() noexcept { return m_data[m_size - 1]; }

  /// Appends a copy of `element`, which may lie in this vector.
  T& push_back(const T& element) {
    const T copy = element;
    if (m_size == m_capacity) reserve(m_size < 8 ? 8 : 2 * m_size);
    return *new (m_data + m_size++) T(copy);
  }

  /// Appends an element made by T(), where it is to stay.
  T& emplace_back() {
    if (m_size == m_capacity) reserve(m_size < 8 ? 8 : 2 * m_size);
    return *new (m_data + m_size++) T();
  }

  /// Elements beyond the old size hold anything.
  void resize_for_overwrite(std::size_t size) {
    reserve(size);
    m_size = size;
  }

  void clear() noexcept { m_size = 0; }

  /// Makes room for `count` elements in all.
  void reserve(std::size_t count) {
    if (count <= m_capacity) return;
    void* const grown = count > max_size ? nullptr : std::realloc(static_cast<void*>(m_data), count * sizeof(T));
    if (grown == nullptr) throw std::bad_alloc();
    m_data = static_cast<T*>(grown);
    m_capacity = count;
  }

  void swap(trivial_vector& other) noexcept {
    T* const data = m_data;  // not by trivial_swap, which is compiled anew for each T
    m_data = other.m_data;
    other.m_data = data;
    trivial_swap(m_size, other.m_size);
    trivial_swap(m_capacity, other.m_capacity);
  }

 private:
  static constexpr std::size_t max_size = ~std::size_t{0} / 2 / sizeof(T);

  void append(const T* from, std::size_t count) {
    if (count == 0) return;
    reserve(count);
    std::memcpy(static_cast<void*>(m_data), from, count * sizeof(T));
    m_size = count;
  }

  T* m_data = nullptr;
  std::size_t m_size = 0;
  std::size_t m_capacity = 0;
};

}  // namespace ckpt

#endif
