#ifndef CKPT_CORE_SHORT_TEXT_HPP
#define CKPT_CORE_SHORT_TEXT_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ckpt {

/// A text put together where nothing may be allocated. What does not fit is left out.
class short_text {
 public:
  constexpr short_text& add(std::string_view text) noexcept {
    for (const char letter : text)
      if (m_size < m_letters.size()) m_letters[m_size++] = letter;
    return *this;
  }
  /// The digits of a number in base 2 to 10, at least `least` of them.
  constexpr short_text& add(std::uint64_t number, unsigned base = 10, std::size_t least = 1) noexcept {
    std::array<char, 64> digits{};
    std::size_t begin = digits.size();
    while (number != 0 || digits.size() - begin < least) {
      digits[--begin] = static_cast<char>('0' + number % base);
      number /= base;
    }
    const char* const first = digits.data() + begin;  // of char* a view would ask all concepts of iterators anew
    return add({first, digits.size() - begin});
  }
  [[nodiscard]] constexpr std::string_view view() const noexcept { return {m_letters.data(), m_size}; }

 private:
  std::array<char, 120> m_letters{};
  std::size_t m_size = 0;
};

}  // namespace ckpt

#endif
