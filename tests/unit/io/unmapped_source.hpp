#ifndef CKPT_TESTS_UNIT_IO_UNMAPPED_SOURCE_HPP
#define CKPT_TESTS_UNIT_IO_UNMAPPED_SOURCE_HPP

#include <ckpt/io/source.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>

namespace support {

/// Bytes that have to be read, as those of a file that is not mapped: each read is a copy. Knows what was read of it.
class unmapped_source final : public ckpt::source {
 public:
  explicit unmapped_source(std::span<const std::byte> bytes, std::string label = "<memory>")
      : source(std::move(label)), m_bytes(bytes) {}
  [[nodiscard]] std::uint64_t size() const noexcept override { return m_bytes.size(); }
  void read(std::uint64_t offset, ckpt::byte_span to) const override {
    require(offset, to.size());
    raise(largest_read, to.size());
    raise(read_end, offset + to.size());
    if (!to.empty()) std::memcpy(to.data(), m_bytes.data() + offset, to.size());
  }

  // Several threads may read.
  mutable std::atomic<std::uint64_t> largest_read = 0;
  mutable std::atomic<std::uint64_t> read_end = 0;  // of what was read farthest

 private:
  static void raise(std::atomic<std::uint64_t>& most, std::uint64_t value) {
    for (std::uint64_t seen = most; seen < value && !most.compare_exchange_weak(seen, value);) {
    }
  }

  std::span<const std::byte> m_bytes;
};

}  // namespace support

#endif
