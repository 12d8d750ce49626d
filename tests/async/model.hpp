#ifndef CKPT_TESTS_ASYNC_MODEL_HPP
#define CKPT_TESTS_ASYNC_MODEL_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <ckpt/ckpt.hpp>

/// A model whose every element follows from a number, so that a file can be told to be of one moment.
class model {
 public:
  /// `large`: elements of its largest tensor.
  explicit model(std::size_t large, std::int32_t seed = 0) : m_large(large) { fill(seed); }
  model(const model&) = delete;
  model& operator=(const model&) = delete;

  void fill(std::int32_t seed) {
    for (std::size_t i = 0; i < m_small.size(); ++i) m_small[i] = value(seed, i);
    for (std::size_t i = 0; i < m_large.size(); ++i) m_large[i] = value(seed, i);
    for (std::size_t i = 0; i < m_grid.size(); ++i) m_grid[i] = seed + static_cast<std::int32_t>(i);
  }

  template <class Visitor>
  void visit_parameters(Visitor&& visit) const {
    visit("small", m_small);
    visit("large", m_large);
    visit("empty", m_empty);
    visit("transposed", m_transposed);
    visit("small again", m_small);
  }

  [[nodiscard]] std::vector<float>& large() { return m_large; }
  /// Bytes of all tensors.
  [[nodiscard]] std::size_t size_bytes() const { return 4 * (2 * m_small.size() + m_large.size() + m_grid.size()); }

  /// Whether a file holds what all tensors were after fill(seed), and the appended "seed" of that moment.
  [[nodiscard]] static bool is_in(const ckpt::state_dict& file, std::int32_t seed, std::size_t large) {
    if (file.size() != 6 || file["seed"].item<std::int64_t>() != seed || file["empty"].size_bytes() != 0) return false;
    const model then(large, seed);
    const std::vector<std::int32_t> transposed = file["transposed"].to_vector<std::int32_t>();
    for (std::size_t i = 0; i < rows * columns; ++i)
      if (transposed.at(i) != then.m_grid[i % rows * columns + i / rows]) return false;
    return file["small"].to_vector<float>() == then.m_small && file["large"].to_vector<float>() == then.m_large &&
           file["small again"].to_vector<float>() == then.m_small;
  }

 private:
  static constexpr std::size_t rows = 30;
  static constexpr std::size_t columns = 70;

  static float value(std::int32_t seed, std::size_t i) {
    return static_cast<float>(seed % 1000) + static_cast<float>(i % 1000) / 1024.0F;
  }

  std::vector<float> m_small = std::vector<float>(300);
  std::vector<float> m_large;
  std::vector<float> m_empty;
  std::vector<std::int32_t> m_grid = std::vector<std::int32_t>(rows * columns);
  ckpt::tensor_view m_transposed =
      ckpt::tensor_view::strided(ckpt::dtype::int32, {columns, rows}, m_grid.data(), {1, columns});
};

#endif
