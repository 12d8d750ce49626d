#ifndef CKPT_CORE_CONCAT_HPP
#define CKPT_CORE_CONCAT_HPP

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

namespace ckpt {

/// The parts in one string, as error texts are put together: `concat({"takes ", std::to_string(size), " bytes"})`.
[[nodiscard]] inline std::string concat(std::initializer_list<std::string_view> parts) {
  std::size_t size = 0;
  for (const std::string_view part : parts) size += part.size();
  std::string whole;
  whole.reserve(size);
  for (const std::string_view part : parts) whole.append(part.data(), part.size());
  return whole;
}

}  // namespace ckpt

#endif
