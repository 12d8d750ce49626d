// Executing a plan allocates nothing, on one thread: malloc and operator new end the process meanwhile. So the same
// code can run in a forked child of a program with threads, where malloc may hang.
#include <ckpt/checksum/crc32.hpp>
#include <ckpt/ckpt.hpp>
#include <ckpt/crypto.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "../sanitized.hpp"

namespace {

bool forbidden = false;  // from here on

constexpr int allocated = 99;  // exit code of a process that allocated when it must not

void note_allocation() {
  if (!forbidden) return;
  static constexpr std::string_view text = "an allocation while a plan is executed\n";
  static_cast<void>(::write(STDERR_FILENO, text.data(), text.size()) == 0);
  ::_exit(allocated);
}

}  // namespace

#if defined(__GLIBC__) && !defined(CKPT_SANITIZED)
#define MALLOC_IS_WATCHED

extern "C" {

void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
  note_allocation();
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  note_allocation();
  return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) {
  note_allocation();
  return __libc_realloc(memory, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
  note_allocation();
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }
int posix_memalign(void** to, std::size_t alignment, std::size_t size) {
  *to = memalign(alignment, size);
  return 0;
}

}  // extern "C"
#endif

// Not inlined, or g++ takes free for the wrong partner of new.
[[gnu::noinline]] void* operator new(std::size_t size) {
  note_allocation();
  if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  note_allocation();
  const auto step = static_cast<std::size_t>(alignment);
  if (void* const memory = std::aligned_alloc(step, (size + step - 1) / step * step)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace {

/// Runs `call` in a child in which allocating is forbidden; returns the child's exit code, 0 for a call that returned.
template <class Call>
int exit_code_of(Call call) {
  const pid_t child = ::fork();
  if (child == 0) {
    forbidden = true;
    call();
    ::_exit(0);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -2;
}

int failures = 0;

void check(bool fine, std::string_view what) {
  if (fine) return;
  ++failures;
  std::fprintf(stderr, "FAILED: %.*s\n", static_cast<int>(what.size()), what.data());
}

/// Everything that a plan can hold: small and large tensors, empty and strided ones, text, and appended values.
struct everything {
  std::vector<float> small = std::vector<float>(3, 1.5F);
  std::vector<double> large = std::vector<double>(3 << 20);  // more than two pieces of writing
  std::vector<float> none;
  std::vector<std::int32_t> grid = std::vector<std::int32_t>(300 * 1000);
  ckpt::tensor_view transposed = ckpt::tensor_view::strided(ckpt::dtype::int32, {1000, 300}, grid.data(), {1, 1000});

  everything() {
    std::iota(large.begin(), large.end(), 0.0);
    std::iota(grid.begin(), grid.end(), 0);
  }

  template <class Visitor>
  void visit_parameters(Visitor&& visit) const {
    for (int i = 0; i < 3; ++i) visit("small" + std::to_string(i), small);
    visit("none", none);
    visit("large", large);
    visit("transposed", transposed);
    visit("small", small);
  }
};

template <class... Policies>
void save_without_allocating(const everything& net, ckpt::durability sync, const std::string& path) {
  const ckpt::save_options options{
      .append = {{"epoch", 3}}, .progress = [](ckpt::progress) {}, .durability = sync, .threads = 1};
  ckpt::detail::prepared_save<ckpt::policy_set<Policies...>> prepared(net, path, options);
  ckpt::atomic_file file(path, prepared.size(), {.sync = sync, .mode = 0600});
  const int code = exit_code_of([&] {
    prepared.execute(file, options);
    file.commit();
  });
  check(code == 0, path + ": executing its plan allocates");
  // The child's commit renamed the file; the parent's object finds nothing left to remove.
  if (code == 0) {
    const std::vector<std::byte> whole = ckpt::save_bytes<Policies...>(net, options);
    std::vector<std::byte> read(whole.size());
    const ckpt::file_source written(path);
    check(written.size() == whole.size(), path + ": has another size than the same save in memory");
    if (written.size() == whole.size()) written.read(0, read);
    check(read == whole, path + ": has other bytes than the same save in memory");
  }
}

/// Takes bytes in order alone: a plan whose checksum lies before the data is run twice.
struct counting_sink {
  std::size_t count = 0;
  void write(std::span<const std::byte> bytes) { count += bytes.size(); }
};

void write_without_allocating(const everything& net) {
  ckpt::detail::prepared_save<ckpt::policy_set<ckpt::safetensors, ckpt::crc32>> prepared(
      net, "<sink>", ckpt::save_options{.threads = 1});
  const int code = exit_code_of([&] {
    counting_sink to;
    prepared.execute(to, {});
    if (to.count != prepared.size()) ::_exit(1);
  });
  check(code == 0, "running a plan twice for its checksum allocates");
}

template <class Cipher>
void save_encrypted_without_allocating(const everything& net, ckpt::durability sync, const std::string& path) {
  const ckpt::secret_key key = ckpt::secret_key::from_text("a key of 16 byte");
  const ckpt::save_options options{.progress = [](ckpt::progress) {}, .durability = sync, .key = key, .threads = 1};
  ckpt::detail::prepared_save<ckpt::policy_set<Cipher>> prepared(net, path, options);
  ckpt::atomic_file file(path, prepared.size(), {.sync = sync, .mode = 0600});
  const int code = exit_code_of([&] {
    prepared.execute(file, options);
    file.commit();
  });
  check(code == 0, path + ": executing its plan, encrypted, allocates");
  if (code != 0) return;
  const ckpt::state_dict loaded = ckpt::load<Cipher>(path, {.key = key});
  const ckpt::state_dict wanted = ckpt::load(ckpt::save_bytes(net));
  check(loaded.size() == wanted.size(), path + ": has another number of entries");
  for (const auto& [name, value] : wanted)
    check(std::ranges::equal(loaded[name].bytes(), value.bytes()), path + ": has other bytes");
}

/// Many blocks, more than are encrypted side by side.
template <class Cipher>
void encrypt_blocks_without_allocating(const std::string& path) {
  constexpr std::size_t block = 4096;
  const ckpt::secret_key key = ckpt::secret_key::from_text("a key of 16 byte");
  const std::vector<std::byte> bytes(19 * block + 5, std::byte{7});
  ckpt::plan plan;
  plan.add(std::span(bytes));
  ckpt::encrypting_executor<Cipher> executor(plan, {.key = &key, .threads = 1, .label = path}, block);
  ckpt::atomic_file file(path, executor.size(), {.sync = ckpt::durability::none, .mode = 0600});
  const int code = exit_code_of([&] {
    executor.run(file, [](std::uint64_t) {});
    file.commit();
  });
  check(code == 0, path + ": encrypting many blocks allocates");
}

template <class Cipher>
void execute_encrypted(const everything& net, const std::string& directory) {
  for (const ckpt::durability sync : {ckpt::durability::full, ckpt::durability::none})
    save_encrypted_without_allocating<Cipher>(net, sync,
                                              directory + (sync == ckpt::durability::full ? "/full.e" : "/none.e"));
  encrypt_blocks_without_allocating<Cipher>(directory + "/blocks.e");
}

}  // namespace

int main() {
  // That an allocation would be seen:
  check(exit_code_of([] { ::operator delete(::operator new(1)); }) == allocated, "operator new is not watched");
  check(exit_code_of([] { ::operator delete(::operator new(64, std::align_val_t{64}), std::align_val_t{64}); }) ==
            allocated,
        "aligned operator new is not watched");
#ifdef MALLOC_IS_WATCHED
  check(exit_code_of([] {
          void* volatile memory = std::malloc(1);
          std::free(memory);
        }) == allocated,
        "malloc is not watched");
#endif

  std::string directory = (std::filesystem::temp_directory_path() / "ckpt-no-allocation-XXXXXX").string();
  if (::mkdtemp(directory.data()) == nullptr) {
    std::perror("mkdtemp");
    return 1;
  }
  const everything net;
  for (const ckpt::durability sync : {ckpt::durability::full, ckpt::durability::none}) {
    const std::string way = sync == ckpt::durability::full ? "/full" : "/none";
    save_without_allocating<ckpt::mindspore>(net, sync, directory + way + ".ckpt");
    save_without_allocating<ckpt::safetensors>(net, sync, directory + way + ".safetensors");
    save_without_allocating<ckpt::crc32>(net, sync, directory + way + "_crc.ckpt");
    save_without_allocating<ckpt::safetensors, ckpt::crc32>(net, sync, directory + way + "_crc.safetensors");
  }
  write_without_allocating(net);
  execute_encrypted<ckpt::aes_gcm>(net, directory);
  execute_encrypted<ckpt::aes_cbc>(net, directory);
  execute_encrypted<ckpt::sm4_cbc>(net, directory);
  std::filesystem::remove_all(directory);
  if (failures == 0) std::puts("nothing was allocated in 18 executed plans");
  return failures == 0 ? 0 : 1;
}
