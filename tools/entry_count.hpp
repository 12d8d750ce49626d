#ifndef CKPT_TOOLS_ENTRY_COUNT_HPP
#define CKPT_TOOLS_ENTRY_COUNT_HPP

#include <cstdint>
#include <string>

#include <ckpt/model/entry_kind.hpp>

#include "human_size.hpp"

namespace ckpt::tools {

/// How many entries of each kind there are, and their bytes.
class entry_count {
 public:
  void add(entry_kind kind, std::uint64_t bytes) noexcept {
    (kind == entry_kind::tensor ? m_tensors : kind == entry_kind::string ? m_strings : m_maps) += 1;
    m_bytes += bytes;
  }

  /// `11 tensors, 1 string, 241.2 KiB (247,036 bytes)`.
  [[nodiscard]] std::string text() const {
    std::string text = counted(m_tensors, "tensor", "tensors");
    if (m_strings > 0) text += ", " + counted(m_strings, "string", "strings");
    if (m_maps > 0) text += ", " + counted(m_maps, "map", "maps");
    text += ", " + human_size(m_bytes);
    if (m_bytes >= 1024) text += " (" + grouped(m_bytes) + " bytes)";
    return text;
  }

 private:
  std::uint64_t m_tensors = 0;
  std::uint64_t m_strings = 0;
  std::uint64_t m_maps = 0;
  std::uint64_t m_bytes = 0;
};

}  // namespace ckpt::tools

#endif
