#include <ckpt/checksum/crc32.hpp>
#include <ckpt/ckpt.hpp>

#include <cstddef>
#include <map>
#include <string>
#include <vector>

int main() {
  const std::map<std::string, std::vector<float>> net{{"w", {1, 2, 3}}};
  const std::vector<std::byte> bytes = ckpt::save_bytes<ckpt::crc32>(net);
  const ckpt::state_dict loaded = ckpt::load<ckpt::crc32>(bytes);
  return loaded["w"].to_vector<float>() == net.at("w") ? 0 : 1;
}
