#ifndef CKPT_MODEL_METADATA_PAIRS_HPP
#define CKPT_MODEL_METADATA_PAIRS_HPP

#include <cstddef>
#include <initializer_list>
#include <string_view>
#include <utility>

#include <ckpt/core/arena.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/core/trivial_vector.hpp>
#include <ckpt/model/metadata_pair.hpp>

namespace ckpt {

/// Pairs of a safetensors file's `__metadata__`, with their texts: `{{"author", "me"}, {"license", "Apache-2.0"}}`.
class metadata_pairs {
 public:
  metadata_pairs() = default;
  metadata_pairs(std::initializer_list<metadata_pair> pairs) { add(sequence(pairs.begin(), pairs.size())); }
  /// Copies of what another file has: of state_dict::metadata() or file_index::metadata().
  metadata_pairs(sequence<metadata_pair> pairs) { add(pairs); }  // NOLINT(google-explicit-constructor)
  /// Of a std::map, or a std::vector of pairs.
  template <class Pairs>
    requires requires(const Pairs& pairs) {
      std::string_view(pairs.begin()->first);
      std::string_view(pairs.begin()->second);
    }
  metadata_pairs(const Pairs& pairs) {  // NOLINT(google-explicit-constructor)
    for (const auto& [key, value] : pairs) add(key, value);
  }
  metadata_pairs(const metadata_pairs& other) { add(other); }
  metadata_pairs(metadata_pairs&& other) noexcept = default;
  metadata_pairs& operator=(metadata_pairs other) noexcept {
    m_texts = std::move(other.m_texts);
    m_pairs.swap(other.m_pairs);
    return *this;
  }
  ~metadata_pairs() = default;

  /// One more, after the others. What takes the pairs refuses a key that is given twice.
  void add(std::string_view key, std::string_view value) {
    m_pairs.push_back({m_texts.store(key), m_texts.store(value)});
  }

  [[nodiscard]] std::size_t size() const noexcept { return m_pairs.size(); }
  [[nodiscard]] bool empty() const noexcept { return m_pairs.empty(); }
  [[nodiscard]] const metadata_pair* data() const noexcept { return m_pairs.data(); }
  [[nodiscard]] const metadata_pair& operator[](std::size_t position) const noexcept { return m_pairs[position]; }
  [[nodiscard]] const metadata_pair* begin() const noexcept { return m_pairs.begin(); }
  [[nodiscard]] const metadata_pair* end() const noexcept { return m_pairs.end(); }

 private:
  void add(sequence<metadata_pair> pairs) {
    for (const metadata_pair& pair : pairs) add(pair.key, pair.value);
  }

  arena m_texts;
  trivial_vector<metadata_pair> m_pairs;
};

}  // namespace ckpt

#endif
