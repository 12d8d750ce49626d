// How near does a save come to what the machine can write at all? Two kinds of raw contestants, both with the fewest
// system calls known to be fast: `raw N MiB` writes one hot buffer again and again, which no saver of real tensors can
// quite reach; `raw tensors` writes the tensors from where they lie.
#include <ckpt/checksum/crc32.hpp>
#include <ckpt/ckpt.hpp>

#include <span>
#include <string>
#include <vector>

#include "contest.hpp"
#include "large.hpp"
#include "raw_file.hpp"

namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;
constexpr std::size_t writeback_block = 8 * mebibyte;

/// Writes a file of `size` bytes in calls of one buffer each: plain as fast as the page cache takes it; durable with
/// the disk working from the first block on.
class raw_writer {
 public:
  raw_writer(const std::string& path, std::size_t size, ckpt::durability how)
      : m_file(path, O_WRONLY | O_CREAT | O_EXCL), m_how(how) {
    bench::raw_file::check(::fallocate(m_file.get(), 0, 0, static_cast<off_t>(size)), "fallocate");
  }

  void write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::pwrite(m_file.get(), bytes.data(), bytes.size(), static_cast<off_t>(m_at));
      bench::raw_file::check(written, "pwrite");
      m_at += static_cast<std::size_t>(written);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    if (m_how == ckpt::durability::none || m_at - m_told < writeback_block) return;
    bench::raw_file::check(::sync_file_range(m_file.get(), static_cast<off_t>(m_told),
                                             static_cast<off_t>(m_at - m_told), SYNC_FILE_RANGE_WRITE),
                           "sync_file_range");
    m_told = m_at;
  }

  void finish() {
    if (m_how == ckpt::durability::full) bench::raw_file::check(::fsync(m_file.get()), "fsync");
  }

 private:
  bench::raw_file m_file;
  ckpt::durability m_how;
  std::size_t m_at = 0;
  std::size_t m_told = 0;
};

double write_hot(const bench::settings& chosen, std::size_t buffer_size, ckpt::durability how) {
  const bench::removed_at_end file(chosen.file("raw"));
  const std::vector<std::byte> hot(buffer_size, std::byte{1});
  const std::size_t size = chosen.mebibytes * mebibyte;
  return bench::seconds([&] {
    raw_writer raw(file.path(), size, how);
    for (std::size_t done = 0; done < size; done += hot.size())
      raw.write(std::span(hot).first(size - done < hot.size() ? size - done : hot.size()));
    raw.finish();
  });
}

double write_tensors(const bench::settings& chosen, const std::vector<ckpt::parameter>& model, ckpt::durability how) {
  const bench::removed_at_end file(chosen.file("raw"));
  return bench::seconds([&] {
    raw_writer raw(file.path(), chosen.mebibytes * mebibyte, how);
    for (const ckpt::parameter& each : model) raw.write(each.data.bytes());
    raw.finish();
  });
}

template <class... Policies>
double save(const bench::settings& chosen, const std::vector<ckpt::parameter>& model, ckpt::durability how,
            std::uint64_t align = 0) {
  const bench::removed_at_end file(
      chosen.file(std::string("model.").append(ckpt::policy_set<Policies...>::format::suffix)));
  return bench::seconds([&] { ckpt::save<Policies...>(model, file.path(), {.align = align, .durability = how}); });
}

}  // namespace

int main(int argc, char** argv) {
  const bench::settings chosen = bench::parse(argc, argv);
  const std::vector<ckpt::parameter> model = bench::large_model(chosen.mebibytes);
  bench::contest contest(chosen);
  for (const ckpt::durability how : {ckpt::durability::none, ckpt::durability::full}) {
    const std::string prefix = how == ckpt::durability::full ? "durable " : "";
    for (const std::size_t size : {std::size_t{2}, std::size_t{8}, std::size_t{16}})
      contest.add(prefix + "raw " + std::to_string(size) + " MiB",
                  [&, how, size] { return write_hot(chosen, size * mebibyte, how); });
    contest.add(prefix + "raw tensors", [&, how] { return write_tensors(chosen, model, how); });
    contest.add(prefix + "ckpt", [&, how] { return save<ckpt::mindspore>(chosen, model, how); });
    contest.add(prefix + "ckpt aligned", [&, how] { return save<ckpt::mindspore>(chosen, model, how, 64); });
    contest.add(prefix + "safetensors", [&, how] { return save<ckpt::safetensors>(chosen, model, how); });
    contest.add(prefix + "ckpt crc32", [&, how] { return save<ckpt::crc32>(chosen, model, how); });
    contest.add(prefix + "safetensors crc32",
                [&, how] { return save<ckpt::safetensors, ckpt::crc32>(chosen, model, how); });
  }
  return contest.run();
}
