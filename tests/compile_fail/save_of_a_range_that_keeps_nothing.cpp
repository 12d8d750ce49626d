// expect: ckpt: this range can be walked only once and keeps no element, and its elements cannot be copied: put them
#include <memory>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

#include <ckpt/ckpt.hpp>

#ifdef BAD
using value = std::unique_ptr<ckpt::tensor>;
#else
using value = std::shared_ptr<ckpt::tensor>;
#endif

std::vector<std::pair<std::string, value>> made(int count);

void save() {
  auto all = std::views::iota(0, 3) | std::views::transform(made) | std::views::join;
  ckpt::save(all, "file");
}
