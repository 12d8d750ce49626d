#ifndef CKPT_TESTS_UNIT_CHECKSUM_OWN_CHECKSUM_HPP
#define CKPT_TESTS_UNIT_CHECKSUM_OWN_CHECKSUM_HPP

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace support {

/// A checksum of the user's: Adler-32, whose value over nothing is 1.
class adler32 {
 public:
  static constexpr std::string_view name = "adler32";

  adler32() = default;
  explicit adler32(std::uint32_t value) : m_a(value & 0xffff), m_b(value >> 16) {}

  void update(std::span<const std::byte> bytes) {
    for (const std::byte byte : bytes) {
      m_a = (m_a + std::to_integer<std::uint32_t>(byte)) % base;
      m_b = (m_b + m_a) % base;
    }
  }
  [[nodiscard]] std::uint32_t value() const { return m_b << 16 | m_a; }

  static std::uint32_t combine(std::uint32_t first, std::uint32_t second, std::uint64_t size) {
    const adler32 one(first);
    const adler32 two(second);
    const std::uint64_t more = size % base * (one.m_a + base - 1);
    return static_cast<std::uint32_t>((one.m_b + two.m_b + more) % base) << 16 | (one.m_a + two.m_a + base - 1) % base;
  }

 private:
  static constexpr std::uint32_t base = 65521;
  std::uint32_t m_a = 1;
  std::uint32_t m_b = 0;
};

/// Is this number, whatever the bytes.
template <std::uint32_t Value>
class always {
 public:
  static constexpr std::string_view name = "always";

  always() = default;
  explicit always(std::uint32_t) {}
  void update(std::span<const std::byte>) {}
  [[nodiscard]] std::uint32_t value() const { return Value; }
  static std::uint32_t combine(std::uint32_t, std::uint32_t, std::uint64_t) { return Value; }
};

}  // namespace support

#endif
