#ifndef CKPT_CHECKSUM_CRC32_HPP
#define CKPT_CHECKSUM_CRC32_HPP

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <isa-l/crc.h>

#include <ckpt/checksum/concept.hpp>
#include <ckpt/checksum/crc32_combine.hpp>
#include <ckpt/task/companion.hpp>

namespace ckpt {

/// CRC-32 as MindSpore writes and verifies it, by ISA-L. Including this means linking ISA-L (-lisal) and threads
/// (-pthread).
class crc32 final {
 public:
  static constexpr std::string_view name = "crc32";
  using companion = ckpt::companion;

  crc32() noexcept = default;
  explicit crc32(std::uint32_t value) noexcept : m_value(value) {}

  void update(std::span<const std::byte> bytes) noexcept {
    m_value = ::crc32_gzip_refl(m_value, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  }
  [[nodiscard]] std::uint32_t value() const noexcept { return m_value; }

  [[nodiscard]] static constexpr std::uint32_t combine(std::uint32_t a, std::uint32_t b,
                                                       std::uint64_t b_size) noexcept {
    return crc32_combine(a, b, b_size);
  }

 private:
  std::uint32_t m_value = 0;
};

static_assert(checksum_policy<crc32>);

}  // namespace ckpt

#endif
