#include <ckpt/crypto.hpp>

#include <cstddef>
#include <map>
#include <string>
#include <vector>

int main() {
  const ckpt::secret_key key = ckpt::secret_key::from_text("0123456789abcdef");
  const std::map<std::string, std::vector<float>> net{{"w", {1, 2, 3}}};
  const std::vector<std::byte> bytes = ckpt::save_bytes<ckpt::aes_gcm>(net, {.key = key});
  const ckpt::state_dict loaded = ckpt::load<ckpt::aes_gcm>(bytes, {.key = key});
  return loaded["w"].to_vector<float>() == net.at("w") ? 0 : 1;
}
