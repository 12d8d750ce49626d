#ifndef CKPT_CORE_TRIVIAL_SWAP_HPP
#define CKPT_CORE_TRIVIAL_SWAP_HPP

#include <ckpt/core/trivially_copyable.hpp>

namespace ckpt {

/// std::swap, for what is copied byte by byte, at a fraction of the time to compile.
template <trivially_copyable T>
constexpr void trivial_swap(T& a, T& b) noexcept {
  const T old = a;
  a = b;
  b = old;
}

}  // namespace ckpt

#endif
