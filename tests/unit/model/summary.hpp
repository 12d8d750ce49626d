#ifndef CKPT_TESTS_UNIT_MODEL_SUMMARY_HPP
#define CKPT_TESTS_UNIT_MODEL_SUMMARY_HPP

#include <ckpt/model/collect.hpp>
#include <ckpt/model/entries.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../support.hpp"

namespace support {

/// The whole content, piece by piece.
inline std::string content(const ckpt::entry& of) {
  std::string out;
  for (const ckpt::segment& piece : of.pieces()) {
    std::vector<std::byte> copy(static_cast<std::size_t>(piece.size()));
    piece.copy_to(0, copy);
    out += text(copy);
  }
  return out;
}

/// `w uint8[2] 0102; note "text"`: every entry with its content, which is read here and now.
inline std::string summary(const ckpt::entries& all) {
  std::string out;
  for (const ckpt::entry& next : all) {
    if (!out.empty()) out += "; ";
    out.append(next.name);
    const std::string bytes = content(next);
    if (bytes.size() != next.size_bytes) out += " (size_bytes is wrong)";
    if (next.kind == ckpt::entry_kind::string) {
      out.append(" \"").append(bytes).append("\"");
      continue;
    }
    out += ' ';
    out += next.kind == ckpt::entry_kind::map ? "map" : ckpt::name(next.type);
    out.append(ckpt::to_string(next.shape)).append(" ").append(hex(bytes));
  }
  return out;
}

inline ckpt::entries no_entries(ckpt::duplicates policy = ckpt::duplicates::refuse,
                                std::function<bool(std::string_view)> choose = {}) {
  return ckpt::entries("f", policy, std::move(choose));
}

/// What is collected of an object, which is gone before its content is read when it was a temporary of the walk.
template <class Object>
std::string collected(Object&& object, ckpt::duplicates policy = ckpt::duplicates::refuse,
                      std::function<bool(std::string_view)> choose = {}) {
  ckpt::entries all = no_entries(policy, std::move(choose));
  ckpt::collect(all, object);
  return summary(all);
}

}  // namespace support

#endif
