#ifndef CKPT_BENCHMARKS_RAW_WRITER_HPP
#define CKPT_BENCHMARKS_RAW_WRITER_HPP

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <ckpt/io/atomic_file.hpp>

#include "contest.hpp"
#include "raw_file.hpp"

namespace bench {

inline constexpr std::size_t mebibyte = std::size_t{1} << 20;
inline constexpr std::size_t writeback_block = 8 * mebibyte;

/// Writes a file of `size` bytes in calls of one buffer each: plain as fast as the page cache takes it; durable with
/// the disk working from the first block on.
class raw_writer {
 public:
  raw_writer(const std::string& path, std::size_t size, ckpt::durability how)
      : m_file(path, O_WRONLY | O_CREAT | O_EXCL), m_how(how) {
    raw_file::check(::fallocate(m_file.get(), 0, 0, static_cast<off_t>(size)), "fallocate");
  }

  void write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::pwrite(m_file.get(), bytes.data(), bytes.size(), static_cast<off_t>(m_at));
      raw_file::check(written, "pwrite");
      m_at += static_cast<std::size_t>(written);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    if (m_how == ckpt::durability::none || m_at - m_told < writeback_block) return;
    raw_file::check(::sync_file_range(m_file.get(), static_cast<off_t>(m_told), static_cast<off_t>(m_at - m_told),
                                      SYNC_FILE_RANGE_WRITE),
                    "sync_file_range");
    m_told = m_at;
  }

  void finish() {
    if (m_how == ckpt::durability::full) raw_file::check(::fsync(m_file.get()), "fsync");
  }

 private:
  raw_file m_file;
  ckpt::durability m_how;
  std::size_t m_at = 0;
  std::size_t m_told = 0;
};

/// The seconds it takes to write the checkpoint's size from one hot buffer, again and again.
inline double write_hot(const settings& chosen, std::size_t buffer_size, ckpt::durability how) {
  const removed_at_end file(chosen.file("raw"));
  const std::vector<std::byte> hot(buffer_size, std::byte{1});
  const std::size_t size = chosen.mebibytes * mebibyte;
  return seconds([&] {
    raw_writer raw(file.path(), size, how);
    for (std::size_t done = 0; done < size; done += hot.size())
      raw.write(std::span(hot).first(size - done < hot.size() ? size - done : hot.size()));
    raw.finish();
  });
}

}  // namespace bench

#endif
