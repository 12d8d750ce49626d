// Nothing of a large contiguous tensor is copied on its way to the kernel: this program stands between the library and
// libc's write calls and looks where the bytes lie that are written. Last line: N passed, N failed
#include <ckpt/ckpt.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

/// The memory that was given to write calls, in order.
std::vector<std::span<const std::byte>> written;

void note(const void* from, std::size_t size) { written.emplace_back(static_cast<const std::byte*>(from), size); }

void note(const iovec* parts, int count) {
  for (int i = 0; i < count; ++i) note(parts[i].iov_base, parts[i].iov_len);
}

}  // namespace

// By these names libc's functions are called, with 64-bit offsets or without: the linker finds ours first.
extern "C" {
ssize_t spy_write(int file, const void* from, std::size_t size) __asm__("write");
ssize_t spy_pwrite(int file, const void* from, std::size_t size, std::int64_t offset) __asm__("pwrite");
ssize_t spy_pwrite64(int file, const void* from, std::size_t size, std::int64_t offset) __asm__("pwrite64");
ssize_t spy_writev(int file, const iovec* parts, int count) __asm__("writev");
ssize_t spy_pwritev(int file, const iovec* parts, int count, std::int64_t offset) __asm__("pwritev");
ssize_t spy_pwritev64(int file, const iovec* parts, int count, std::int64_t offset) __asm__("pwritev64");

ssize_t spy_write(int file, const void* from, std::size_t size) {
  note(from, size);
  return ::syscall(SYS_write, file, from, size);
}
ssize_t spy_pwrite(int file, const void* from, std::size_t size, std::int64_t offset) {
  note(from, size);
  return ::syscall(SYS_pwrite64, file, from, size, offset);
}
ssize_t spy_pwrite64(int file, const void* from, std::size_t size, std::int64_t offset) {
  return spy_pwrite(file, from, size, offset);
}
ssize_t spy_writev(int file, const iovec* parts, int count) {
  note(parts, count);
  return ::syscall(SYS_writev, file, parts, count);
}
ssize_t spy_pwritev(int file, const iovec* parts, int count, std::int64_t offset) {
  note(parts, count);
  return ::syscall(SYS_pwritev, file, parts, count, offset, offset >> 63);
}
ssize_t spy_pwritev64(int file, const iovec* parts, int count, std::int64_t offset) {
  return spy_pwritev(file, parts, count, offset);
}
}

namespace {

int passed = 0;
int failed = 0;

void check(bool holds, const std::string& what) {
  ++(holds ? passed : failed);
  if (!holds) std::printf("FAILED %s\n", what.c_str());
}

/// Whether each byte of `tensor` was written once, from where it lies, in order.
bool is_written_in_place(std::span<const std::byte> tensor) {
  const std::less<const std::byte*> before;
  const std::byte* next = tensor.data();
  const std::byte* const end = tensor.data() + tensor.size();
  for (const std::span<const std::byte> piece : written) {
    const std::byte* const piece_end = piece.data() + piece.size();
    if (piece.empty() || !before(piece.data(), end) || !before(tensor.data(), piece_end)) continue;  // lies elsewhere
    if (piece.data() != next || before(end, piece_end)) return false;
    next = piece_end;
  }
  return next == end;
}

std::uint64_t bytes_written() {
  std::uint64_t total = 0;
  for (const std::span<const std::byte> piece : written) total += piece.size();
  return total;
}

/// Saves tensors from the smallest size that is not copied on, and some that are no multiple of anything.
template <class Format>
void save_in_place(const std::string& folder, ckpt::save_options options, const std::string& what) {
  std::vector<ckpt::parameter> model;
  std::uint64_t large = 0;
  for (const std::int64_t elements : {16384, 16385, 100003, 2097152, 5000001}) {
    model.push_back(
        {"layer" + std::to_string(model.size()) + ".weight", ckpt::tensor(ckpt::dtype::float32, {elements})});
    large += model.back().data.bytes().size();
    model.push_back({"layer" + std::to_string(model.size()) + ".bias", ckpt::tensor(ckpt::dtype::float32, {7})});
  }
  written.reserve(1000);
  written.clear();
  const ckpt::save_report report = ckpt::save<Format>(model, folder + "/model", options);
  check(bytes_written() == report.bytes, what + ": the file's bytes are written once");
  for (const ckpt::parameter& each : model)
    if (each.data.bytes().size() >= 65536)
      check(is_written_in_place(each.data.bytes()), what + ": " + each.name + " is written from where it lies");
  check(report.bytes - large < 4096, what + ": only headers and the small tensors are copied");
}

/// What load mapped is saved from the mapping.
void save_mapped(const std::string& folder) {
  const std::vector<ckpt::parameter> model{{"weight", ckpt::tensor(ckpt::dtype::float32, {1000, 1000})}};
  ckpt::save(model, folder + "/mapped", {.durability = ckpt::durability::none});
  const ckpt::state_dict mapped = ckpt::load(folder + "/mapped.ckpt");
  written.clear();
  ckpt::save<ckpt::safetensors>(mapped, folder + "/mapped", {.durability = ckpt::durability::none});
  check(is_written_in_place(mapped["weight"].bytes()), "a mapped tensor is written from the mapping");
}

}  // namespace

int main() {
  std::string folder = (std::filesystem::temp_directory_path() / "ckpt-zero-copy-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) {
    std::perror("mkdtemp");
    return 1;
  }
  save_in_place<ckpt::mindspore>(folder, {.durability = ckpt::durability::none}, "ckpt");
  save_in_place<ckpt::mindspore>(folder, {.align = 64}, "ckpt, aligned and durable");
  save_in_place<ckpt::safetensors>(folder, {.durability = ckpt::durability::none}, "safetensors");
  save_in_place<ckpt::safetensors>(folder, {}, "safetensors, durable");
  save_mapped(folder);
  std::filesystem::remove_all(folder);
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
