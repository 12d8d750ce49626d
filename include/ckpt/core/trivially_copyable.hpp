#ifndef CKPT_CORE_TRIVIALLY_COPYABLE_HPP
#define CKPT_CORE_TRIVIALLY_COPYABLE_HPP

namespace ckpt {

/// Whether a T may be copied byte by byte. T must be complete. (Of the compiler's own: std::is_trivially_copyable asks
/// it the same, after seven other templates for each type.)
template <class T>
concept trivially_copyable = __is_trivially_copyable(T);

}  // namespace ckpt

#endif
