#ifndef CKPT_TESTS_UNIT_SUPPORT_HPP
#define CKPT_TESTS_UNIT_SUPPORT_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/stat.h>

// What the tests of several folders share. Bytes are kept in std::string where literals are at hand.

namespace support {

inline std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

inline std::string text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// `0a11ff`
inline std::string hex(std::span<const std::byte> bytes) {
  std::string out;
  for (const std::byte byte : bytes) {
    out += "0123456789abcdef"[std::to_integer<unsigned>(byte) >> 4U];
    out += "0123456789abcdef"[std::to_integer<unsigned>(byte) & 0xfU];
  }
  return out;
}
inline std::string hex(std::string_view raw) { return hex(bytes(raw)); }

/// The bytes of `0a11 ff`; blanks do not count.
inline std::string unhex(std::string_view digits) {
  std::string out;
  int high = -1;
  for (const char digit : digits) {
    if (digit == ' ') continue;
    const std::size_t value = std::string_view("0123456789abcdef").find(digit);
    if (value == std::string_view::npos) throw std::logic_error("not hexadecimal: " + std::string(digits));
    if (high < 0) high = static_cast<int>(value);
    else out += static_cast<char>(std::exchange(high, -1) * 16 + static_cast<int>(value));
  }
  return out;
}

/// The message of the `Error` that the call throws; other exceptions pass through.
template <class Error, class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "(nothing thrown)";
}

/// The error itself, for its facts.
template <class Error, class Call>
Error error_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  throw std::runtime_error("nothing thrown");
}

/// Allocates nothing.
inline int threads_of_this_process() {
  struct stat status{};
  return ::stat("/proc/self/task", &status) == 0 ? static_cast<int>(status.st_nlink) - 2 : -1;
}

/// Numbers that look random and are the same in every run (xorshift64*).
class numbers {
 public:
  explicit numbers(std::uint64_t seed) : m_state(seed) {}
  std::uint64_t next() {
    m_state ^= m_state >> 12U;
    m_state ^= m_state << 25U;
    m_state ^= m_state >> 27U;
    return m_state * 0x2545f4914f6cdd1dU;
  }
  /// 0 to end - 1.
  std::uint64_t below(std::uint64_t end) { return (next() >> 11U) % end; }
  /// first to last.
  std::int64_t between(std::int64_t first, std::int64_t last) {
    return first + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(last - first) + 1));
  }

 private:
  std::uint64_t m_state;
};

}  // namespace support

#endif
