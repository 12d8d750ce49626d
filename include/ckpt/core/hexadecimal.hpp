#ifndef CKPT_CORE_HEXADECIMAL_HPP
#define CKPT_CORE_HEXADECIMAL_HPP

#include <cstddef>
#include <string>

#include <ckpt/core/sequence.hpp>

namespace ckpt {

/// Appends two digits for each byte, in small letters.
inline void append_hexadecimal(std::string& to, sequence<std::byte> bytes) {
  for (const std::byte byte : bytes) {
    to.push_back("0123456789abcdef"[std::to_integer<unsigned>(byte >> 4)]);
    to.push_back("0123456789abcdef"[std::to_integer<unsigned>(byte & std::byte{0xf})]);
  }
}

}  // namespace ckpt

#endif
