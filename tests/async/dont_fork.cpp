#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

#include <sys/mman.h>
#include <unistd.h>

#include <ckpt/async.hpp>
#include <ckpt/checksum/crc32.hpp>
#include <ckpt/crypto.hpp>

#include "../unit/io/scratch.hpp"
#include "processes.hpp"
#include "target.hpp"

namespace {

using scratch::message_of;

/// Floats on pages of their own, of which a forked process does not get the one in the middle.
class not_forked {
 public:
  explicit not_forked(std::size_t pages)
      : m_size(pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))),
        m_bytes(::mmap(nullptr, m_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    const std::size_t page = m_size / pages;
    if (m_bytes == MAP_FAILED || ::madvise(static_cast<char*>(m_bytes) + pages / 2 * page, page, MADV_DONTFORK) != 0)
      throw std::runtime_error("no memory that is not forked");
    std::memset(m_bytes, 1, m_size);
  }
  not_forked(const not_forked&) = delete;
  not_forked& operator=(const not_forked&) = delete;
  ~not_forked() { ::munmap(m_bytes, m_size); }

  template <class Visitor>
  void visit_parameters(Visitor&& visit) const {
    visit("w", ckpt::tensor_view(ckpt::dtype::float32, {static_cast<std::int64_t>(m_size / 4)},
                                 std::span(static_cast<const std::byte*>(m_bytes), m_size)));
  }

 private:
  std::size_t m_size;
  void* m_bytes;
};

constexpr const char* way_out =
    ", as where memory is not passed on to a forked process (MADV_DONTFORK): save with .mode = ckpt::async::thread";

template <class... Policies>
void check_not_forked(std::size_t pages, std::string_view says) {
  const target file;
  const ckpt::secret_key key = ckpt::secret_key::from_text("a key of 16 byte");
  const not_forked net(pages);
  for (const ckpt::durability sync : {ckpt::durability::none, ckpt::durability::full}) {
    ckpt::async_options options{.durability = sync, .permissions = 0600, .mode = ckpt::async::process};
    if constexpr (!std::is_same_v<typename ckpt::policy_set<Policies...>::cipher, ckpt::no_cipher>) options.key = key;
    ckpt::save_job job = ckpt::save_async<Policies...>(net, file.path, options);
    CHECK(message_of<ckpt::error>([&] { (void)job.get(); }) == file.path + std::string(says));
    CHECK(file.is_old());
    CHECK(file.is_alone());
    CHECK(processes::children().empty());
    options.mode = ckpt::async::thread;
    options.durability = ckpt::durability::none;
    CHECK(ckpt::save_async<Policies...>(net, file.here / "b", options).get().bytes > 0);
    CHECK(::unlink((file.here / "b.ckpt").c_str()) == 0);
  }
}

}  // namespace

TEST_CASE("dont_fork: memory that a saving process does not get is an error that names the way out") {
  const std::string by_signal = std::string(": the saving process was killed by signal 11 (Segmentation fault)") +
                                way_out + "; the file is as it was";
  SUBCASE("a large tensor, which the kernel is given") {
    check_not_forked<>(64, std::string(": cannot write") + way_out + ": Bad address, at byte 131100");
  }
  SUBCASE("one that a second thread goes ahead of") {
    check_not_forked<>(4096, std::string(": cannot write") + way_out + ": Bad address, at byte 8388640");
  }
  SUBCASE("a small one, which is copied") { check_not_forked<>(5, by_signal); }
  SUBCASE("one that is summed") { check_not_forked<ckpt::crc32>(64, by_signal); }
  SUBCASE("one that is encrypted") { check_not_forked<ckpt::aes_gcm>(64, by_signal); }
}
