#ifndef CKPT_CORE_NAME_INDEX_HPP
#define CKPT_CORE_NAME_INDEX_HPP

#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include <ckpt/core/trivial_vector.hpp>

namespace ckpt {

/// Finds the position of a name in a sequence that somebody else holds; together with that sequence it is an ordered
/// map. Positions are given out in order of insertion, from 0. The hash is seeded anew in each object, so a file
/// cannot be made whose names all collide.
class name_index {
 public:
  name_index() : m_seed(new_seed()) {}

  struct insertion {
    std::size_t position;
    bool is_new;
  };

  /// The position of `name` and whether it is new. `name_at(position)` gives the name at an earlier position; the
  /// caller appends a new name to its sequence right after this call. At most 2^32 - 2 names.
  template <class NameAt>
  insertion insert(std::string_view name, const NameAt& name_at) {
    if (m_size + m_size / 2 >= m_slots.size()) resize(m_slots.empty() ? 16 : m_slots.size() * 2);
    const std::uint32_t tag = hash(name);
    for (std::size_t at = tag & m_mask;; at = (at + 1) & m_mask) {
      slot& here = m_slots[at];
      if (here.position == free_slot) {
        here = {tag, static_cast<std::uint32_t>(m_size)};
        return {m_size++, true};
      }
      if (here.tag == tag && name_at(here.position) == name) return {here.position, false};
    }
  }

  template <class NameAt>
  [[nodiscard]] std::optional<std::size_t> find(std::string_view name, const NameAt& name_at) const {
    if (m_slots.empty()) return std::nullopt;
    const std::uint32_t tag = hash(name);
    for (std::size_t at = tag & m_mask; m_slots[at].position != free_slot; at = (at + 1) & m_mask)
      if (m_slots[at].tag == tag && name_at(m_slots[at].position) == name) return std::size_t{m_slots[at].position};
    return std::nullopt;
  }

  /// Makes room for `count` names.
  void reserve(std::size_t count) {
    const std::size_t slots = std::bit_ceil(count + count / 2 + 1);
    if (slots > m_slots.size()) resize(slots);
  }

  [[nodiscard]] std::size_t size() const noexcept { return m_size; }

 private:
  struct slot {
    std::uint32_t tag = 0;
    std::uint32_t position = free_slot;
  };
  static constexpr std::uint32_t free_slot = ~std::uint32_t{0};

  static std::uint64_t new_seed() noexcept {
    static const char somewhere = 0;  // its address differs from run to run
    return mix(reinterpret_cast<std::uintptr_t>(&somewhere) ^ 0x9e3779b97f4a7c15u,
               static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()) | 1);
  }

  static std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
    __extension__ using wide = unsigned __int128;
    const wide product = wide{a} * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }

  [[nodiscard]] std::uint32_t hash(std::string_view name) const noexcept {
    constexpr std::uint64_t odd = 0xa0761d6478bd642fu;
    const char* from = name.data();
    std::size_t left = name.size();
    std::uint64_t state = m_seed ^ left;
    for (; left > 16; from += 16, left -= 16) state = mix(word(from, 8) ^ odd ^ m_seed, word(from + 8, 8) ^ state);
    const std::size_t low = left < 8 ? left : 8;
    state = mix(word(from, low) ^ odd ^ m_seed, word(from + low, left - low) ^ state);
    return static_cast<std::uint32_t>(mix(state ^ odd, m_seed) >> 32);
  }

  static std::uint64_t word(const char* from, std::size_t size) noexcept {
    std::uint64_t value = 0;
    if (size == 8) {
      std::memcpy(&value, from, 8);
    } else if (size >= 4) {  // two overlapping halves: no loop and no call for a tail
      std::uint32_t low = 0;
      std::uint32_t high = 0;
      std::memcpy(&low, from, 4);
      std::memcpy(&high, from + size - 4, 4);
      value = (std::uint64_t{high} << 32) | low;
    } else if (size > 0) {
      value = (std::uint64_t{static_cast<unsigned char>(from[0])} << 16) |
              (std::uint64_t{static_cast<unsigned char>(from[size / 2])} << 8) |
              static_cast<unsigned char>(from[size - 1]);
    }
    return value;
  }

  void resize(std::size_t count) {
    trivial_vector<slot> old;
    old.resize_for_overwrite(count);
    for (slot& here : old) here = slot{};
    old.swap(m_slots);
    m_mask = m_slots.size() - 1;
    for (const slot& taken : old) {
      if (taken.position == free_slot) continue;
      std::size_t at = taken.tag & m_mask;
      while (m_slots[at].position != free_slot) at = (at + 1) & m_mask;
      m_slots[at] = taken;
    }
  }

  trivial_vector<slot> m_slots;
  std::size_t m_mask = 0;
  std::size_t m_size = 0;
  std::uint64_t m_seed;
};

}  // namespace ckpt

#endif
