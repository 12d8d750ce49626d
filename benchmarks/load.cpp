// How near does a load come to what the machine can read at all? The file lies in the page cache. Mapped: every byte is
// looked at. Copied: every byte is read into memory that did not exist before.
#include <ckpt/ckpt.hpp>

#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <vector>

#include <sys/mman.h>

#include "contest.hpp"
#include "large.hpp"
#include "raw_file.hpp"

namespace {

/// Looks at every byte, wherever it starts.
std::uint64_t sum(std::span<const std::byte> bytes) {
  std::uint64_t total = 0;
  for (; bytes.size() >= sizeof total; bytes = bytes.subspan(sizeof total)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    total += word;
  }
  return total;
}

std::uint64_t sum(const ckpt::state_dict& model) {
  std::uint64_t total = 0;
  for (const auto& [name, value] : model)
    for (std::size_t piece = 0; piece < value.piece_count(); ++piece) total += sum(value.piece(piece));
  return total;
}

double raw_map(const std::string& path, std::uint64_t& total) {
  return bench::seconds([&] {
    const bench::raw_file raw(path, O_RDONLY);
    const std::size_t size = raw.size();
    void* const address = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, raw.get(), 0);
    if (address == MAP_FAILED) throw std::runtime_error("mmap");
    total += sum({static_cast<const std::byte*>(address), size});
    ::munmap(address, size);
  });
}

double raw_read(const std::string& path) {
  return bench::seconds([&] {
    const bench::raw_file raw(path, O_RDONLY);
    const std::size_t size = raw.size();
    // Fresh memory in huge pages, which is the fastest way to get any.
    void* const address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address == MAP_FAILED) throw std::runtime_error("mmap");
    ::madvise(address, size, MADV_HUGEPAGE);
    for (std::size_t at = 0; at < size;) {
      const ssize_t got = ::pread(raw.get(), static_cast<std::byte*>(address) + at, size - at, static_cast<off_t>(at));
      bench::raw_file::check(got, "pread");
      at += static_cast<std::size_t>(got);
    }
    ::munmap(address, size);
  });
}

}  // namespace

int main(int argc, char** argv) {
  const bench::settings chosen = bench::parse(argc, argv);
  const bench::removed_at_end ckpt_file(chosen.file("load.ckpt"));
  const bench::removed_at_end safetensors_file(chosen.file("load.safetensors"));
  {
    const std::vector<ckpt::parameter> model = bench::large_model(chosen.mebibytes);
    ckpt::save(model, ckpt_file.path());
    ckpt::save<ckpt::safetensors>(model, safetensors_file.path());
  }
  std::uint64_t total = 0;
  bench::contest contest(chosen);
  contest.add("raw map", [&] { return raw_map(ckpt_file.path(), total); });
  contest.add("raw read", [&] { return raw_read(ckpt_file.path()); });
  for (const std::string& path : {ckpt_file.path(), safetensors_file.path()}) {
    const std::string format = path.substr(path.rfind('.') + 1);
    contest.add(format + " map", [&, path] { return bench::seconds([&] { total += sum(ckpt::load(path)); }); });
    contest.add(format + " copy",
                [&, path] { return bench::seconds([&] { (void)ckpt::load(path, {.read = ckpt::read::copy}); }); });
  }
  const int code = contest.run();
  if (total == 1) std::fputs("the sum was looked at\n", stderr);  // so that the compiler keeps it
  return code;
}
