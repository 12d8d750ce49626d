// Reads parts of a file that is larger than the address space it is given. See low_memory.py.
#include <ckpt/ckpt.hpp>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace {

bool is_small(std::string_view name) { return name.starts_with("small"); }

void print(std::string_view name, const std::vector<std::int32_t>& values) {
  std::printf("%.*s:", static_cast<int>(name.size()), name.data());
  for (const std::int32_t value : values) std::printf(" %d", value);
  std::puts("");
}

void copy(const std::string& path) {
  const ckpt::state_dict loaded = ckpt::load(path, {.read = ckpt::read::copy, .choose = is_small});
  for (const auto& [name, value] : loaded) print(name, value.to_vector<std::int32_t>());
}

void read(const std::string& path) {
  const ckpt::reader file(path);
  std::vector<std::int32_t> values(4);
  for (const ckpt::index_entry& entry : file.index()) {
    // The last four elements, wherever they lie.
    const std::int64_t count = entry.shape()[0];
    file.read_into<std::int32_t>(entry.name(), values, {{count - 4, count}});
    print(entry.name(), values);
  }
}

}  // namespace

int main(int count, char** values) {
  const std::string what = count == 3 ? values[1] : "";
  try {
    if (what == "copy") copy(values[2]);
    else if (what == "read") read(values[2]);
    else if (what == "map") (void)ckpt::load(values[2]);
    else if (what == "copy-all") (void)ckpt::load(values[2], {.read = ckpt::read::copy});
    else return 2;
  } catch (const std::exception& error) {
    std::puts(error.what());
    return 1;
  }
  return 0;
}
