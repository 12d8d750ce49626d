#ifndef CKPT_CHECKPOINT_PART_SUMS_HPP
#define CKPT_CHECKPOINT_PART_SUMS_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <ckpt/checksum/concept.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/core/trivial_vector.hpp>
#include <ckpt/format/checksum_place.hpp>

namespace ckpt {

/// The checksum over the parts of a file, whose bytes come in the order of the file and are counted in that of the
/// parts: each part is summed as it comes, and the sums are joined. All memory is allocated by the constructor.
template <checksum_policy Checksum>
class part_sums {
 public:
  /// The parts must outlive this.
  explicit part_sums(sequence<checksum_part> parts) : m_parts(parts) {
    m_sums.reserve(parts.size());
    for (std::size_t i = 0; i < parts.size(); ++i) m_sums.push_back({.part = i});
    const auto before = [parts](const sum& a, const sum& b) {
      const checksum_part& first = parts[a.part];
      const checksum_part& second = parts[b.part];
      if (first.offset != second.offset) return first.offset < second.offset;
      if (first.size != second.size) return first.size < second.size;
      return a.part < b.part;
    };
    if (!std::is_sorted(m_sums.begin(), m_sums.end(), before)) std::sort(m_sums.begin(), m_sums.end(), before);
    m_place.resize_for_overwrite(parts.size());
    for (std::size_t i = 0; i < m_sums.size(); ++i) {
      m_place[m_sums[i].part] = i;
      m_sums[i].follows = i > 0 && m_sums[i].part == m_sums[i - 1].part + 1;
    }
  }

  /// Whether no byte of the file is in two parts; else there is no sum.
  [[nodiscard]] bool is_disjoint() const noexcept {
    for (std::size_t i = 1; i < m_sums.size(); ++i) {
      const checksum_part& one = m_parts[m_sums[i - 1].part];
      if (m_parts[m_sums[i].part].offset < one.offset + one.size) return false;
    }
    return true;
  }

  /// Starts over, at the first byte of the file.
  void restart() noexcept {
    m_at = 0;
    m_next = 0;
    m_is_begun = false;
  }

  /// Takes the next bytes of the file.
  void update(sequence<std::byte> bytes) {
    for (; m_next < m_sums.size(); ++m_next, m_is_begun = false) {
      const checksum_part& part = m_parts[m_sums[m_next].part];
      if (m_at < part.offset) {
        if (part.offset - m_at > bytes.size()) break;
        bytes = bytes.subspan(static_cast<std::size_t>(part.offset - m_at));
        m_at = part.offset;
      }
      if (!m_is_begun) begin();
      const std::uint64_t left = part.offset + part.size - m_at;
      const std::size_t size = left < bytes.size() ? static_cast<std::size_t>(left) : bytes.size();
      m_sums[m_next].value = joined(m_sums[m_next].value, bytes.first(size));
      bytes = bytes.subspan(size);
      m_at += size;
      if (size < left) break;
    }
    m_at += bytes.size();
  }

  /// The checksum, when all bytes have come.
  [[nodiscard]] std::uint32_t value() {
    update({});  // parts without bytes at the end
    std::uint32_t total = Checksum().value();
    for (std::size_t part = 0; part < m_place.size(); ++part) {
      if (part + 1 < m_place.size() && m_sums[m_place[part + 1]].follows) continue;  // and includes this one
      const sum& next = m_sums[m_place[part]];
      total = Checksum::combine(total, next.value, next.size);
    }
    return total;
  }

 private:
  /// Of one part, and of those before it as far as they lie in the file in the order in which they are counted.
  struct sum {
    std::size_t part;
    std::uint64_t size = 0;  // of all that was counted
    std::uint32_t value = 0;
    bool follows = false;  // whether the sum before goes on in this one
  };

  [[nodiscard]] static std::uint32_t joined(std::uint32_t value, sequence<std::byte> bytes) {
    if (bytes.empty()) return value;
    Checksum go_on(value);
    go_on.update(bytes.span());
    return go_on.value();
  }

  void begin() {
    sum& now = m_sums[m_next];
    const checksum_part& part = m_parts[now.part];
    const std::string_view before = part.before;
    now.size = now.follows ? m_sums[m_next - 1].size : 0;
    now.value = now.follows ? m_sums[m_next - 1].value : Checksum().value();
    now.value = joined(now.value, {reinterpret_cast<const std::byte*>(before.data()), before.size()});
    now.value = joined_with_zeros(now.value, part.zeros);
    now.size += before.size() + part.zeros + part.size;
    m_is_begun = true;
  }

  /// Joins 1, 2, 4, ... of them: there may be 2^63.
  [[nodiscard]] static std::uint32_t joined_with_zeros(std::uint32_t value, std::uint64_t count) {
    constexpr std::byte zero{};
    std::uint32_t zeros = joined(Checksum().value(), {&zero, 1});
    for (std::uint64_t size = 1; count != 0; count >>= 1, size <<= 1) {
      if ((count & 1) != 0) value = Checksum::combine(value, zeros, size);
      if (count > 1) zeros = Checksum::combine(zeros, zeros, size);
    }
    return value;
  }

  sequence<checksum_part> m_parts;
  trivial_vector<sum> m_sums;           // in the order of the file
  trivial_vector<std::size_t> m_place;  // of each part in m_sums
  std::uint64_t m_at = 0;
  std::size_t m_next = 0;
  bool m_is_begun = false;  // the part of m_sums[m_next]
};

}  // namespace ckpt

#endif
