#ifndef CKPT_IO_TEMPORARY_NAME_HPP
#define CKPT_IO_TEMPORARY_NAME_HPP

#include <cstddef>
#include <string>
#include <string_view>

#include <ckpt/core/hexadecimal.hpp>
#include <ckpt/core/sequence.hpp>

namespace ckpt {

namespace detail {

inline constexpr std::size_t temporary_digits = 16;
inline constexpr std::string_view temporary_end = ".tmp";
inline constexpr std::size_t around_target = 1 + 1 + temporary_digits + temporary_end.size();  // dot, dot, digits, end

}  // namespace detail

/// Of a file that is written beside its target until it gets its name: `.<target>.<16 hex digits>.tmp`, where so much
/// of `target`, a name, is kept that the whole has at most `longest` bytes. `random` are 8 bytes.
[[nodiscard]] inline std::string temporary_name(std::string_view target, sequence<std::byte> random,
                                                std::size_t longest) {
  std::size_t kept = target.size();
  if (kept + detail::around_target > longest) {
    kept = longest > detail::around_target ? longest - detail::around_target : 0;
    while (kept > 0 && (static_cast<unsigned char>(target[kept]) & 0xC0U) == 0x80U)
      --kept;  // not within a UTF-8 character
  }
  std::string name = ".";
  name.append(target.substr(0, kept)).push_back('.');
  append_hexadecimal(name, random);
  return name.append(detail::temporary_end);
}

/// The name of the target, as far as it was kept; empty where `name` is no temporary_name.
[[nodiscard]] constexpr std::string_view target_of_temporary(std::string_view name) noexcept {
  using namespace detail;
  if (name.size() <= around_target || name.front() != '.' || !name.ends_with(temporary_end)) return {};
  const std::string_view target = name.substr(1, name.size() - around_target);
  const std::string_view behind = name.substr(1 + target.size(), 1 + temporary_digits);
  return behind[0] == '.' && behind.find_first_not_of("0123456789abcdef", 1) == behind.npos ? target
                                                                                            : std::string_view();
}

}  // namespace ckpt

#endif
