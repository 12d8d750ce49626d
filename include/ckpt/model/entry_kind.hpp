#ifndef CKPT_MODEL_ENTRY_KIND_HPP
#define CKPT_MODEL_ENTRY_KIND_HPP

#include <cstdint>
#include <string_view>

namespace ckpt {

/// What a name in a checkpoint stands for.
enum class entry_kind : std::uint8_t {
  tensor,
  string,
  map,  ///< a map parameter (MindSpore's MapParameter): keys, values and status of a hash table
};

[[nodiscard]] constexpr std::string_view name(entry_kind kind) noexcept {
  return kind == entry_kind::tensor ? "tensor" : kind == entry_kind::string ? "string" : "map";
}

}  // namespace ckpt

#endif
