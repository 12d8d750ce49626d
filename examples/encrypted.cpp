// Checkpoints that only who has the key can read, or change unnoticed: with a key from a file, with a passphrase, and
// those of a training.
//
// usage: encrypted [FOLDER]     writes into FOLDER (encrypted.files by default)

#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <ckpt/crypto.hpp>
#include <ckpt/manager.hpp>

namespace {

struct line {
  std::vector<float> slope{0.0f};
  std::vector<float> offset{0.0f};

  void visit_parameters(auto&& visitor) {
    visitor("slope", slope);
    visitor("offset", offset);
  }
};

/// In place of `(umask 077; openssl rand -hex 32 > PATH)`: this key is no secret.
void make_key_file(const std::string& path) {
  std::ofstream(path) << "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string folder = argc > 1 ? argv[1] : "encrypted.files";
  std::filesystem::create_directories(folder);
  line net{.slope = {3.0f}, .offset = {-1.0f}};

  // A key from a file.
  make_key_file(folder + "/line.key");
  const ckpt::secret_key key = ckpt::secret_key::from_file(folder + "/line.key");
  const ckpt::save_report report = ckpt::save<ckpt::aes_gcm>(net, folder + "/line", {.key = key});
  std::printf("saved    %s, %s\n", report.path.c_str(), report.is_sealed ? "encrypted and sealed" : "plain");

  line other;
  ckpt::load_into<ckpt::aes_gcm>(report.path, other, {.key = key});
  std::printf("loaded   y = %g x %+g\n", static_cast<double>(other.slope[0]), static_cast<double>(other.offset[0]));

  // Another key, and none.
  const ckpt::secret_key wrong = ckpt::secret_key::from_text("32 bytes, but not those of above");
  bool is_refused = false;
  try {
    ckpt::load_into<ckpt::aes_gcm>(report.path, other, {.key = wrong});
  } catch (const ckpt::integrity_error& e) {
    is_refused = e.code() == ckpt::errc::key;
    std::printf("refused  %s\n", e.what());
  }
  try {
    ckpt::load_into(report.path, other);
  } catch (const ckpt::format_error& e) {
    std::printf("refused  %s\n", e.what());
  }

  // A passphrase, from which each file gets a key of its own. That takes a while, for whoever guesses, too.
  const ckpt::secret_key phrase = ckpt::secret_key::from_passphrase("correct horse battery staple");
  ckpt::save<ckpt::aes_gcm>(net, folder + "/phrase", {.key = phrase});
  const ckpt::state_dict model = ckpt::load<ckpt::aes_gcm>(folder + "/phrase.ckpt", {.key = phrase});
  std::printf("loaded   slope %g, by a passphrase\n", static_cast<double>(model["slope"].item<float>()));

  // The checkpoints of a training: the cipher is the manager's policy, the key an option of its saves, which it
  // borrows as long as it lives. Restoring is a load, which needs the key once more.
  ckpt::checkpoint_manager<ckpt::aes_gcm> manager(
      folder + "/training", {.prefix = "line", .preservation = ckpt::latest_n{2}, .save = {.key = key}});
  for (std::uint64_t step = 1; step <= 3; ++step) {
    net.slope[0] = static_cast<float>(step);
    manager.save_async({.epoch = 1, .step = step}, net);
  }
  for (const ckpt::checkpoint_report& each : manager.wait()) std::printf("saved    %s\n", each.saved.path.c_str());
  const auto restored = manager.restore_latest({.key = key});
  if (!restored) return 1;
  ckpt::load_into(restored->model, other);
  std::printf("restored %s, slope %g\n", restored->from.path.c_str(), static_cast<double>(other.slope[0]));
  return is_refused && other.slope[0] == 3.0f ? 0 : 1;
} catch (const std::exception& e) {
  std::fprintf(stderr, "encrypted: %s\n", e.what());
  return 1;
}
