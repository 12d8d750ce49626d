#ifndef CKPT_TESTS_ASYNC_TARGET_HPP
#define CKPT_TESTS_ASYNC_TARGET_HPP

#include <cstddef>
#include <string>
#include <vector>

#include <ckpt/ckpt.hpp>

#include "../unit/io/scratch.hpp"
#include "model.hpp"

/// Elements of the largest tensor of a small model.
inline constexpr std::size_t small = 1000;

/// A directory with a file of seed 1 in it, which is to be replaced.
class target {
 public:
  target() {
    const model old(small, 1);
    ckpt::save(old, path, {.append = {{"seed", 1}}, .durability = ckpt::durability::none, .permissions = 0600});
  }
  [[nodiscard]] bool is_old() const { return model::is_in(ckpt::load(path), 1, small); }
  /// Whether there is nothing else.
  [[nodiscard]] bool is_alone() const { return here.names() == std::vector<std::string>{"a.ckpt"}; }

  const scratch::directory here;
  const std::string path = here / "a.ckpt";
};

#endif
