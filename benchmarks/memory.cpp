// How much memory does a save need beside the tensors? The figures are bytes: the peak of the memory that the process
// has resident while it saves, less what it had before.
#include <ckpt/ckpt.hpp>

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

}  // namespace

int main(int argc, char** argv) {
  const bench::settings chosen = bench::parse(argc, argv);
  const std::vector<ckpt::parameter> model = bench::large_model(chosen.mebibytes);
  bench::contest contest(chosen);
  contest.add("ckpt", [&] { return extra_memory<ckpt::mindspore>(chosen, model, ckpt::durability::none); });
  contest.add("ckpt durable", [&] { return extra_memory<ckpt::mindspore>(chosen, model, ckpt::durability::full); });
  contest.add("safetensors", [&] { return extra_memory<ckpt::safetensors>(chosen, model, ckpt::durability::none); });
  return contest.run();
}
