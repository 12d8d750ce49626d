// What does encryption cost? Saves and loads with each cipher; beside them the file written raw, and Crypto++ alone,
// with a thread for each core, from where the tensors lie into a buffer that stays in the cache: no saver that
// encrypts with it is faster than the slower of the two, nor than all cores that do both.
#include <ckpt/ckpt.hpp>
#include <ckpt/crypto.hpp>
#include <ckpt/task/default_threads.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "contest.hpp"
#include "large.hpp"
#include "raw_file.hpp"
#include "raw_writer.hpp"

namespace {

const ckpt::secret_key& aes_key() {
  static const ckpt::secret_key key = ckpt::secret_key::from_text("an AES-256 key for the benchmark");
  return key;
}
const ckpt::secret_key& sm4_key() {
  static const ckpt::secret_key key = ckpt::secret_key::from_text("an SM4 benchmark");
  return key;
}

/// The seconds that Crypto++ takes for all tensors, each encrypted like a block: by a thread for each core, as many
/// side by side as the cipher takes, into a buffer that stays in the cache.
template <class Cipher>
double encrypt_in_memory(const std::vector<ckpt::parameter>& model, const ckpt::secret_key& key) {
  using encryptor = typename Cipher::encryptor;
  constexpr std::size_t most = encryptor::lanes;
  return bench::seconds([&] {
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
      encryptor cipher(key.bytes());
      constexpr std::size_t step = bench::mebibyte / 4 / most;
      std::vector<std::byte> out(step * most);
      for (std::size_t first = next.fetch_add(most); first < model.size(); first = next.fetch_add(most)) {
        std::array<ckpt::cipher_lane, most> lanes;
        const std::size_t count = model.size() - first < most ? model.size() - first : most;
        for (std::size_t i = 0; i < count; ++i) {
          const std::array<std::byte, ckpt::iv_size> iv{std::byte{static_cast<unsigned char>(first + i)}};
          cipher.begin(i, iv);
          lanes[i] = {i, model[first + i].data.bytes().data(), out.data() + i * step};
        }
        const std::size_t size = model[first].data.bytes().size();  // of each
        for (std::size_t at = 0; at < size; at += step) {
          cipher.process({lanes.data(), count}, size - at < step ? size - at : step);
          for (std::size_t i = 0; i < count; ++i) lanes[i].in += step;
        }
      }
    };
    std::vector<std::thread> threads;
    for (unsigned i = 1; i < ckpt::default_threads(); ++i) threads.emplace_back(work);
    work();
    for (std::thread& thread : threads) thread.join();
  });
}

template <class Cipher>
void add(bench::contest& contest, const bench::settings& chosen, const std::vector<ckpt::parameter>& model,
         const ckpt::secret_key& key, const std::string& file_to_load) {
  const std::string name(Cipher::name);
  contest.add("Crypto++ " + name, [&] { return encrypt_in_memory<Cipher>(model, key); });
  contest.add(name + " save", [&] {
    const bench::removed_at_end file(chosen.file("encrypted.ckpt"));
    return bench::seconds(
        [&] { ckpt::save<Cipher>(model, file.path(), {.durability = ckpt::durability::none, .key = key}); });
  });
  contest.add(name + " load",
              [&] { return bench::seconds([&] { (void)ckpt::load<Cipher>(file_to_load, {.key = key}); }); });
  ckpt::save<Cipher>(model, file_to_load, {.key = key});
}

}  // namespace

int main(int argc, char** argv) {
  const bench::settings chosen = bench::parse(argc, argv);
  const std::vector<ckpt::parameter> model = bench::large_model(chosen.mebibytes);
  const bench::removed_at_end gcm(chosen.file("gcm.ckpt"));
  const bench::removed_at_end cbc(chosen.file("cbc.ckpt"));
  const bench::removed_at_end sm4(chosen.file("sm4.ckpt"));
  bench::contest contest(chosen);
  contest.add("raw 16 MiB", [&] { return bench::write_hot(chosen, 16 * bench::mebibyte, ckpt::durability::none); });
  add<ckpt::aes_gcm>(contest, chosen, model, aes_key(), gcm.path());
  add<ckpt::aes_cbc>(contest, chosen, model, aes_key(), cbc.path());
  add<ckpt::sm4_cbc>(contest, chosen, model, sm4_key(), sm4.path());
  return contest.run();
}
