#ifndef CKPT_CHECKSUM_CRC32_CRYPTOPP_HPP
#define CKPT_CHECKSUM_CRC32_CRYPTOPP_HPP

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <cryptopp/crc.h>

#include <ckpt/checksum/concept.hpp>
#include <ckpt/checksum/crc32_combine.hpp>
#include <ckpt/task/companion.hpp>

namespace ckpt {

/// CRC-32 as MindSpore writes and verifies it, by Crypto++: for those who have no ISA-L, which is several times as
/// fast. Including this means linking Crypto++ (-lcryptopp) and threads (-pthread).
class crc32_cryptopp final {
 public:
  static constexpr std::string_view name = "crc32";
  using companion = ckpt::companion;

  crc32_cryptopp() = default;
  explicit crc32_cryptopp(std::uint32_t value) : m_before(value) {}

  void update(std::span<const std::byte> bytes) {
    m_sum.Update(reinterpret_cast<const CryptoPP::byte*>(bytes.data()), bytes.size());
    m_size += bytes.size();
  }
  [[nodiscard]] std::uint32_t value() const {
    std::uint32_t state = 0;
    for (unsigned i = 0; i < 4; ++i) state |= std::uint32_t{m_sum.GetCrcByte(i)} << (8 * i);
    return m_size == 0 ? m_before : crc32_combine(m_before, ~state, m_size);
  }

  [[nodiscard]] static constexpr std::uint32_t combine(std::uint32_t a, std::uint32_t b,
                                                       std::uint64_t b_size) noexcept {
    return crc32_combine(a, b, b_size);
  }

 private:
  CryptoPP::CRC32 m_sum;  // of the bytes taken here: it cannot go on after others
  std::uint32_t m_before = 0;
  std::uint64_t m_size = 0;
};

static_assert(checksum_policy<crc32_cryptopp>);

}  // namespace ckpt

#endif
