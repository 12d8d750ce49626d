#ifndef CKPT_MODEL_METADATA_PAIR_HPP
#define CKPT_MODEL_METADATA_PAIR_HPP

#include <string_view>

namespace ckpt {

/// A pair of a safetensors file's `__metadata__`. Borrows both texts.
struct metadata_pair {
  std::string_view key;
  std::string_view value;
  friend bool operator==(const metadata_pair&, const metadata_pair&) noexcept = default;
};

}  // namespace ckpt

#endif
