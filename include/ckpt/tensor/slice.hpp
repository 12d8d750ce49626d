#ifndef CKPT_TENSOR_SLICE_HPP
#define CKPT_TENSOR_SLICE_HPP

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>

#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/function_ref.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/core/trivial_vector.hpp>
#include <ckpt/tensor/dtype.hpp>
#include <ckpt/tensor/shape.hpp>
#include <ckpt/tensor/tensor_view.hpp>

namespace ckpt {

/// The indices [begin, end) of one axis.
struct axis_range {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// A box cut out of a tensor: one range for each axis from the outermost; axes left out are whole. `slice{}` is
/// everything, `slice{{0, 2}}` the first two rows.
class slice {
 public:
  slice() = default;
  slice(std::initializer_list<axis_range> ranges) : m_ranges(ranges.begin(), ranges.size()) {}

  [[nodiscard]] sequence<axis_range> ranges() const noexcept { return m_ranges; }

  /// The shape of the box within a tensor of shape `whole`. Throws usage_error where a range does not lie within its
  /// axis, or there are more ranges than axes.
  [[nodiscard]] ckpt::shape shape_in(sequence<std::int64_t> whole) const {
    if (m_ranges.size() > whole.size())
      throw usage_error(
          errc::invalid_argument, {},
          concat({"a slice of ", std::to_string(m_ranges.size()), " axes does not fit shape ", to_string(whole)}));
    trivial_vector<std::int64_t> extents(whole.data(), whole.size());
    for (std::size_t axis = 0; axis < m_ranges.size(); ++axis) {
      const auto [begin, end] = m_ranges[axis];
      if (begin < 0 || end < begin || end > whole[axis])
        throw usage_error(errc::invalid_argument, {},
                          concat({"the slice [", std::to_string(begin), ",", std::to_string(end), ") of axis ",
                                  std::to_string(axis), " does not fit shape ", to_string(whole)}));
      extents[axis] = end - begin;
    }
    return ckpt::shape(extents);
  }

 private:
  trivial_vector<axis_range> m_ranges;
};

/// Calls `use(offset, size)` for the longest runs of bytes that hold the box, in its row-major order; offsets count
/// from the start of the tensor's packed content. Throws as slice::shape_in, and usage_error where elements of 4 or 6
/// bits make a run start or end inside a byte; then nothing was used.
inline void for_each_run(dtype type, sequence<std::int64_t> whole, const slice& box,
                         function_ref<void(std::uint64_t, std::uint64_t)> use) {
  const ckpt::shape extents = box.shape_in(whole);
  if (*element_count(extents.extents()) == 0) return;
  std::size_t split = whole.size();  // the axes from here on are whole: what lies within them is one run
  while (split > 0 && extents[split - 1] == whole[split - 1]) --split;
  const std::size_t outer = split == 0 ? 0 : split - 1;  // the run goes along axis `outer`
  trivial_vector<std::uint64_t> strides;                 // in elements
  strides.resize_for_overwrite(whole.size() + 1);
  strides.back() = 1;
  for (std::size_t axis = whole.size(); axis-- > 0;)
    strides[axis] = strides[axis + 1] * static_cast<std::uint64_t>(whole[axis]);
  const std::uint64_t run_bits =
      (split == 0 ? strides[0] : static_cast<std::uint64_t>(extents[outer]) * strides[outer + 1]) * info(type).bits;
  const auto first = [&](std::size_t axis) {
    return axis < box.ranges().size() ? static_cast<std::uint64_t>(box.ranges()[axis].begin) : std::uint64_t{0};
  };
  std::uint64_t begin = split == 0 ? 0 : first(outer) * strides[outer + 1];  // of the first run, in elements
  std::uint64_t parts = run_bits;  // the bits in which a run begins or ends inside a byte, if any does
  for (std::size_t axis = 0; axis < outer; ++axis) {
    begin += first(axis) * strides[axis + 1];
    if (extents[axis] > 1) parts |= strides[axis + 1] * info(type).bits;
  }
  if ((parts | begin * info(type).bits) % 8 != 0)
    throw usage_error(errc::invalid_argument, {},
                      concat({"the slice cuts ", name(type),
                              " elements inside a byte: take a multiple of 8 bits along the last axis"}));
  trivial_vector<std::uint64_t> index;
  for (std::size_t axis = 0; axis < outer; ++axis) index.push_back(0);
  for (;;) {
    std::uint64_t element = begin;
    for (std::size_t axis = 0; axis < outer; ++axis) element += index[axis] * strides[axis + 1];
    use(element * info(type).bits / 8, run_bits / 8);
    std::size_t axis = outer;
    while (axis > 0 && ++index[axis - 1] == static_cast<std::uint64_t>(extents[axis - 1])) index[--axis] = 0;
    if (axis == 0) return;
  }
}

}  // namespace ckpt

#endif
