#ifndef CKPT_TESTS_UNIT_FORMAT_PLANNED_HPP
#define CKPT_TESTS_UNIT_FORMAT_PLANNED_HPP

#include <ckpt/format/plan.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "../support.hpp"

namespace support {

/// The file that a plan describes.
inline std::string planned(const ckpt::plan& plan) {
  std::string file;
  for (const ckpt::segment& next : plan.segments()) {
    CHECK(next.size() > 0);
    std::vector<std::byte> bytes(static_cast<std::size_t>(next.size()));
    next.copy_to(0, bytes);
    file += text(bytes);
  }
  CHECK(file.size() == plan.size());
  return file;
}

}  // namespace support

#endif
