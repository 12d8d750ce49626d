#ifndef CKPT_CORE_BYTE_SPAN_HPP
#define CKPT_CORE_BYTE_SPAN_HPP

#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>

namespace ckpt {

/// Bytes that lie somewhere else and may be written to: what this library needs of a std::span<std::byte>. It passes
/// as one, and is made of one, but costs a program a fraction of the time to compile, as sequence does.
class byte_span {
 public:
  constexpr byte_span() noexcept = default;
  constexpr byte_span(std::byte* data, std::size_t size) noexcept : m_data(data), m_size(size) {}

  template <std::size_t Count>
  constexpr byte_span(std::byte (&bytes)[Count]) noexcept  // NOLINT(google-explicit-constructor): a parameter type
      : m_data(bytes), m_size(Count) {}

  /// Of a vector, a std::array, a span, or whatever else has data() and size(); of a temporary that only refers to
  /// them.
  template <class Bytes>
    requires requires(std::conditional_t<std::is_lvalue_reference_v<Bytes>, Bytes, const Bytes&> from) {
      { from.data() } -> std::same_as<std::byte*>;
      { from.size() } -> std::same_as<std::size_t>;
    }
  constexpr byte_span(Bytes&& from) noexcept  // NOLINT(google-explicit-constructor): a parameter type
      : m_data(from.data()), m_size(from.size()) {}

  [[nodiscard]] constexpr std::size_t size() const noexcept { return m_size; }
  [[nodiscard]] constexpr bool empty() const noexcept { return m_size == 0; }
  [[nodiscard]] constexpr std::byte* data() const noexcept { return m_data; }
  [[nodiscard]] constexpr std::byte* begin() const noexcept { return m_data; }
  [[nodiscard]] constexpr std::byte* end() const noexcept { return m_data + m_size; }
  [[nodiscard]] constexpr std::byte& front() const noexcept { return *m_data; }
  [[nodiscard]] constexpr std::byte& back() const noexcept { return m_data[m_size - 1]; }
  [[nodiscard]] constexpr std::byte& operator[](std::size_t position) const noexcept { return m_data[position]; }

  /// The first, or last, `count`; there are at least so many.
  [[nodiscard]] constexpr byte_span first(std::size_t count) const noexcept { return {m_data, count}; }
  [[nodiscard]] constexpr byte_span last(std::size_t count) const noexcept {
    return {m_data + (m_size - count), count};
  }
  /// All but the first `count`; there are at least so many.
  [[nodiscard]] constexpr byte_span subspan(std::size_t count) const noexcept {
    return {m_data + count, m_size - count};
  }

 private:
  std::byte* m_data = nullptr;
  std::size_t m_size = 0;
};

}  // namespace ckpt

template <>
inline constexpr bool std::ranges::enable_borrowed_range<ckpt::byte_span> = true;

#endif
