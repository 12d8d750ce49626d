// How much memory does a save need beside the tensors, and an encrypted load beside the plain bytes that it returns?
// The figures are bytes: the peak of the memory that the process has resident meanwhile, less what it had before.
#include <ckpt/ckpt.hpp>
#include <ckpt/crypto.hpp>

#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "contest.hpp"
#include "large.hpp"
#include "raw_file.hpp"

namespace {

/// A line of /proc/self/status in bytes: VmRSS, now, or VmHWM, the peak.
double status(const std::string& key) {
  std::ifstream file("/proc/self/status");
  for (std::string word; file >> word;) {
    double kibibytes = 0;
    if (word == key + ":" && file >> kibibytes) return kibibytes * 1024;
  }
  throw std::runtime_error("/proc/self/status does not say " + key);
}

void forget_peak() {
  std::ofstream file("/proc/self/clear_refs");
  if (!(file << "5" << std::flush)) throw std::runtime_error("cannot reset the peak in /proc/self/clear_refs");
}

template <class Format>
double extra_memory(const bench::settings& chosen, const std::vector<ckpt::parameter>& model,
                    ckpt::durability durability) {
  const bench::removed_at_end file(chosen.file(std::string("memory.").append(Format::suffix)));
  forget_peak();
  const double before = status("VmRSS");
  ckpt::save<Format>(model, file.path(), {.durability = durability});
  return status("VmHWM") - before;
}

const ckpt::secret_key& benchmark_key() {
  static const ckpt::secret_key key = ckpt::secret_key::from_text("a key of 16 byte");
  return key;
}

template <class Cipher>
double extra_memory_encrypted(const bench::settings& chosen, const std::vector<ckpt::parameter>& model) {
  const bench::removed_at_end file(chosen.file("memory.encrypted.ckpt"));
  forget_peak();
  const double before = status("VmRSS");
  ckpt::save<Cipher>(model, file.path(), {.durability = ckpt::durability::none, .key = benchmark_key()});
  return status("VmHWM") - before;
}

/// The file is read, not mapped: pages of a mapping that were touched would count as resident.
template <class Cipher>
double extra_memory_decrypted(const std::string& path) {
  forget_peak();
  const double before = status("VmRSS");
  const ckpt::state_dict loaded = ckpt::load<Cipher>(path, {.read = ckpt::read::copy, .key = benchmark_key()});
  double size = 0;
  for (const auto& [name, value] : loaded) size += static_cast<double>(value.size_bytes());
  return status("VmHWM") - before - size;
}

}  // namespace

int main(int argc, char** argv) {
  const bench::settings chosen = bench::parse(argc, argv);
  const std::vector<ckpt::parameter> model = bench::large_model(chosen.mebibytes);
  bench::contest contest(chosen);
  contest.add("ckpt", [&] { return extra_memory<ckpt::mindspore>(chosen, model, ckpt::durability::none); });
  contest.add("ckpt durable", [&] { return extra_memory<ckpt::mindspore>(chosen, model, ckpt::durability::full); });
  contest.add("safetensors", [&] { return extra_memory<ckpt::safetensors>(chosen, model, ckpt::durability::none); });
  contest.add("AES-GCM", [&] { return extra_memory_encrypted<ckpt::aes_gcm>(chosen, model); });
  contest.add("AES-CBC", [&] { return extra_memory_encrypted<ckpt::aes_cbc>(chosen, model); });
  const bench::removed_at_end gcm(chosen.file("gcm.ckpt"));
  const bench::removed_at_end cbc(chosen.file("cbc.ckpt"));
  ckpt::save<ckpt::aes_gcm>(model, gcm.path(), {.durability = ckpt::durability::none, .key = benchmark_key()});
  ckpt::save<ckpt::aes_cbc>(model, cbc.path(), {.durability = ckpt::durability::none, .key = benchmark_key()});
  contest.add("AES-GCM load", [&] { return extra_memory_decrypted<ckpt::aes_gcm>(gcm.path()); });
  contest.add("AES-CBC load", [&] { return extra_memory_decrypted<ckpt::aes_cbc>(cbc.path()); });
  return contest.run();
}
