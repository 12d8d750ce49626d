// Files of the safetensors format. Mutations change either the JSON header or the data and write the header's length
// anew, most of the time.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <vector>

#include "check_file.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

constexpr std::size_t length_size = 8;

std::uint64_t header_length(const std::uint8_t* data) {
  return ckpt::load_le<std::uint64_t>(reinterpret_cast<const std::byte*>(data));
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  std::minstd_rand random(seed);
  if (size <= length_size || header_length(data) > size - length_size || random() % 16 == 0)
    return LLVMFuzzerMutate(data, size, max_size);
  const auto length = static_cast<std::size_t>(header_length(data));
  if (random() % 8 == 0) {
    const std::size_t before = length_size + length;
    return before + LLVMFuzzerMutate(data + before, size - before, max_size - before);
  }
  const std::vector<std::uint8_t> rest(data + length_size + length, data + size);
  const std::size_t changed = LLVMFuzzerMutate(data + length_size, length, max_size - length_size - rest.size());
  ckpt::store_le<std::uint64_t>(reinterpret_cast<std::byte*>(data), changed);
  if (!rest.empty()) std::memcpy(data + length_size + changed, rest.data(), rest.size());
  return length_size + changed + rest.size();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::check_file(std::as_bytes(std::span(data, size)));
  return 0;
}
