#ifndef CKPT_CORE_SEQUENCE_HPP
#define CKPT_CORE_SEQUENCE_HPP

#include <concepts>
#include <cstddef>
#include <span>
#include <utility>

namespace ckpt {

/// Elements that lie somewhere else, one after the other: what this library needs of a std::span<const T>, for its own
/// element types. It passes as one, but does not ask all the concepts of ranges and iterators of each type anew, which
/// is most of what a span costs a program to compile: once where it is made, again where one that has a name is copied.
template <class T>
class sequence {
 public:
  constexpr sequence() noexcept = default;
  constexpr sequence(const T* data, std::size_t size) noexcept : m_data(data), m_size(size) {}

  template <std::size_t Count>
  constexpr sequence(const T (&elements)[Count]) noexcept  // NOLINT(google-explicit-constructor): a parameter type
      : m_data(elements), m_size(Count) {}

  /// Of a vector, a std::array, a span, or whatever else has data() and size().
  template <class Elements>
    requires requires(const Elements& from) {
      { std::as_const(*from.data()) } -> std::same_as<const T&>;
      { from.size() } -> std::same_as<std::size_t>;
    }
  constexpr sequence(const Elements& from) noexcept  // NOLINT(google-explicit-constructor): a parameter type
      : m_data(from.data()), m_size(from.size()) {}

  [[nodiscard]] constexpr std::size_t size() const noexcept { return m_size; }
  [[nodiscard]] constexpr bool empty() const noexcept { return m_size == 0; }
  [[nodiscard]] constexpr const T* data() const noexcept { return m_data; }
  [[nodiscard]] constexpr const T* begin() const noexcept { return m_data; }
  [[nodiscard]] constexpr const T* end() const noexcept { return m_data + m_size; }
  [[nodiscard]] constexpr const T& front() const noexcept { return *m_data; }
  [[nodiscard]] constexpr const T& back() const noexcept { return m_data[m_size - 1]; }
  [[nodiscard]] constexpr const T& operator[](std::size_t position) const noexcept { return m_data[position]; }

  /// The same as a std::span. (A template, and not constexpr, so that only who calls it compiles it.)
  template <class Element = const T>
  [[nodiscard]] std::span<Element> span() const noexcept {
    return std::span<Element>(m_data, m_size);
  }

  /// The first `count`; there are at least so many.
  [[nodiscard]] constexpr sequence first(std::size_t count) const noexcept { return {m_data, count}; }
  /// All but the first `count`; there are at least so many.
  [[nodiscard]] constexpr sequence subspan(std::size_t count) const noexcept {
    return {m_data + count, m_size - count};
  }

 private:
  const T* m_data = nullptr;
  std::size_t m_size = 0;
};

}  // namespace ckpt

#endif
