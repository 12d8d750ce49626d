#ifndef CKPT_IO_ATOMIC_FILE_HPP
#define CKPT_IO_ATOMIC_FILE_HPP

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/function_ref.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/io/directory.hpp>
#include <ckpt/io/file_descriptor.hpp>
#include <ckpt/io/random.hpp>
#include <ckpt/io/sink.hpp>
#include <ckpt/io/system_call.hpp>
#include <ckpt/io/target_path.hpp>
#include <ckpt/io/temporary_name.hpp>

namespace ckpt {

/// What is promised when a save has returned.
enum class durability : std::uint8_t {
  full,  ///< a power cut leaves the new file
  none,  ///< the kernel writes it to the disk when it likes. A crash of the program loses nothing; a power cut within
         ///< the next half minute or so may leave the old file, the new one, or a file of zeros in place of both
};

/// When the room for all bytes is reserved.
enum class reservation : std::uint8_t {
  at_once,  ///< by the constructor
  later,    ///< by reserve()
};

struct atomic_file_options {
  durability sync = durability::full;
  unsigned mode = 0400;  ///< permission bits of the finished file, whatever the umask
  reservation room = reservation::at_once;
};

/// Replaces a file as a whole, or not at all. The bytes go to a temporary file beside the target; commit() gives it the
/// target's name. Until then, and after any error, the target is as it was; the destructor removes the temporary file.
/// Only the end of the process leaves one behind, with a temporary_name; it is locked (flock) for as long as any
/// process has it open.
class atomic_file {
 public:
  /// Makes the temporary file and reserves `size` bytes, the number that will be written. A symbolic link as target
  /// stays: the file behind it is replaced, or made. Throws io_error (a full disk, a missing directory, a directory as
  /// target, ...), usage_error (a path or mode that makes no sense; a pipe, socket or device as target).
  atomic_file(std::string target, std::uint64_t size, atomic_file_options options = {})
      : atomic_file(resolve_target(target), std::move(target), size, options) {
    // Here the object counts as constructed: its destructor cleans up when one of these throws.
    if (size > static_cast<std::uint64_t>(std::numeric_limits<off_t>::max())) {
      throw_io_error(std::make_error_code(std::errc::file_too_large), m_directory.file(),
                     concat({"cannot reserve ", std::to_string(size), " bytes"}));
    }
    if (options.room == reservation::at_once) reserve();
  }

  atomic_file(const atomic_file&) = delete;
  atomic_file& operator=(const atomic_file&) = delete;

  ~atomic_file() { discard(); }

  /// Removes the temporary file, unless it is in the target's place. Allocates nothing.
  void discard() const noexcept {
    if (m_stage != stage::replaced) {
      [[maybe_unused]] const std::error_code ignored = m_directory.remove(m_temporary);  // there is nothing else to do
    }
  }

  /// Reserves the room for all bytes, before the first of them. Allocates nothing. Throws io_error (a full disk).
  void reserve() { m_reserved = m_file.reserve(m_size); }

  /// Appends. Allocates nothing. Throws io_error; usage_error where more comes than was announced.
  void write(std::span<const std::byte> bytes) { write(bytes, sequence<std::byte>()); }

  /// Appends both, in this order, in one system call where they fit into a piece.
  void write(sequence<std::byte> first, sequence<std::byte> second) {
    if (m_stage != stage::writing)
      throw usage_error(errc::invalid_argument, {.path = m_directory.file()}, "write after commit");
    if (first.size() > m_size - m_written || second.size() > m_size - m_written - first.size()) {
      refuse_count(m_written + first.size() + second.size());
    }
    while (!first.empty() || !second.empty()) {
      const std::size_t room = piece - static_cast<std::size_t>(m_written % piece);
      const auto of_first = first.first(first.size() < room ? first.size() : room);
      const auto of_second =
          second.first(second.size() < room - of_first.size() ? second.size() : room - of_first.size());
      m_file.write_at(m_written, of_first, of_second);
      m_written += of_first.size() + of_second.size();
      first = first.subspan(of_first.size());
      second = second.subspan(of_second.size());
      start_writeback();
    }
  }

  /// Puts bytes anywhere in the file; several threads may do so at a time. Every byte is written once, whether by this
  /// or by write(), and a file is written by one of the two. Allocates nothing. Throws io_error; usage_error where
  /// `bytes` pass the announced size.
  void write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
    if (m_stage != stage::writing)
      throw usage_error(errc::invalid_argument, {.path = m_directory.file()}, "write after commit");
    if (offset > m_size || bytes.size() > m_size - offset) refuse_count(offset + bytes.size());
    m_file.write_at(offset, bytes, {});
    m_written.fetch_add(bytes.size(), std::memory_order_relaxed);
    // A thread that goes through a part of the file completes a block as it passes the end of one.
    const std::uint64_t end = (offset + bytes.size()) / writeback_block * writeback_block;
    if (m_options.sync == durability::full && end > offset && end >= writeback_block)
      m_file.start_writeback(end - writeback_block, writeback_block);
  }

  /// Puts bytes in place of as many that write() has written, the first of which is `back` bytes before the last of
  /// them. Allocates nothing. Throws io_error; usage_error where they were not all written.
  void overwrite(std::uint64_t back, std::span<const std::byte> bytes) {
    if (m_stage != stage::writing)
      throw usage_error(errc::invalid_argument, {.path = m_directory.file()}, "write after commit");
    if (back > m_written || bytes.size() > back)
      throw usage_error(errc::invalid_argument, {.path = m_directory.file()}, "overwrites what was not written");
    m_file.write_at(m_written - back, bytes);
  }

  /// Puts the finished file in the target's place. Allocates nothing. Throws usage_error unless exactly the announced
  /// number of bytes was written, io_error where the operating system fails; the target is then as it was, except when
  /// the last step failed, the sync of the directory, of which the error says that the new file is in place. There is
  /// no second try: write a new file.
  void commit() {
    static_cast<void>(commit_unless([] { return false; }));
  }

  /// The same, but where `is_overtaken` says so right before the last step, nothing is replaced, the file is discarded
  /// and false returned.
  bool commit_unless(function_ref<bool()> is_overtaken) {
    if (m_stage != stage::writing)
      throw usage_error(errc::invalid_argument, {.path = m_directory.file()}, "commit for the second time");
    if (m_written != m_size) refuse_count(m_written);
    m_stage = stage::failed;
    m_file.set_mode(m_options.mode);
    if (m_options.sync == durability::full) m_file.sync();
    const file_descriptor locked = m_file.duplicate();  // until it has its name
    m_file.close();
    if (is_overtaken()) {
      discard();
      return false;
    }
    m_directory.rename(m_temporary, m_name);
    m_stage = stage::replaced;
    settle();
    return true;
  }

  /// Whether another process, which has a copy of this object, has put the file in the target's place. If so, does what
  /// commit() does after that. Throws io_error where the directory cannot be synced.
  bool adopt() {
    if (!m_directory.holds(m_name, m_file)) return false;
    m_stage = stage::replaced;
    settle();
    return true;
  }

  /// Files to know again: what is written here, and what stands in the target's place now. Without a descriptor where
  /// there is none.
  [[nodiscard]] file_descriptor known_file() const { return m_directory.open_to_know(m_temporary); }
  [[nodiscard]] file_descriptor known_target() const { return m_directory.open_to_know(m_name); }
  /// Whether nothing stands in the target's place but one of those.
  [[nodiscard]] bool is_target_among(sequence<file_descriptor> known) const noexcept {
    if (!m_directory.has(m_name)) return true;
    for (const file_descriptor& each : known)
      if (each.get() >= 0 && m_directory.holds(m_name, each)) return true;
    return false;
  }

  /// What a forked process needs to write and commit.
  [[nodiscard]] std::array<int, 2> descriptors() const noexcept { return {m_directory.descriptor(), m_file.get()}; }

  /// The file that is replaced: the target with the links it ends in resolved.
  [[nodiscard]] const std::string& path() const noexcept { return m_path; }

  [[nodiscard]] std::uint64_t size() const noexcept { return m_size; }
  [[nodiscard]] std::uint64_t written() const noexcept { return m_written; }

  /// Whether the file system promised the room for all bytes.
  [[nodiscard]] bool is_reserved() const noexcept { return m_reserved; }

  /// After commit(): whether the file outlives a power cut. Not with durability::none, nor on a file system that is
  /// kept in memory.
  [[nodiscard]] bool is_durable() const noexcept { return m_durable; }

  /// Bytes written by one system call, between multiples of this in the file. Small pieces cost calls and, as the
  /// kernel caches a file in pages as large as the writes allow, page handling; above 8 MiB nothing is gained any more.
  static constexpr std::size_t piece = std::size_t{16} << 20;

  /// With durability::full the kernel is told to write to the disk whenever another so many bytes are complete, so that
  /// the disk works while the rest is copied. Blocks are told once they are full: a page that is being written to disk
  /// cannot be appended to.
  static constexpr std::size_t writeback_block = std::size_t{8} << 20;

 private:
  enum class stage : std::uint8_t { writing, failed, replaced };

  // `target` by reference: it is moved from only here, after it has been resolved.
  atomic_file(const target_path& resolved, std::string&& target, std::uint64_t size, atomic_file_options options)
      : m_directory(resolved.directory,
                    options.sync == durability::full ? directory::use::with_sync : directory::use::without_sync,
                    std::move(target)),
        m_name(resolved.name),
        m_path(resolved.whole()),
        m_size(size),
        m_options(options) {
    if (options.mode > 07777) {
      throw usage_error(errc::invalid_argument, {.path = m_directory.file()},
                        "the mode has other bits than permissions: use one like 0644");
    }
    m_directory.require_replaceable(m_name);
    for (int attempt = 0; attempt < 16 && m_file.get() < 0; ++attempt) {
      m_temporary = new_temporary_name();
      m_file = m_directory.create(m_temporary);
      if (m_file.get() < 0 || m_file.hold()) continue;
      discard();
      m_file = {};
    }
    if (m_file.get() < 0) {
      throw_io_error(std::make_error_code(std::errc::file_exists), m_directory.file(),
                     "cannot create a temporary file beside it");
    }
  }

  [[nodiscard]] std::string new_temporary_name() const {
    std::byte random[8];
    fill_random(random, m_directory.file());
    return temporary_name(m_name, random, m_directory.longest_name());
  }

  void settle() {
    if (m_options.sync == durability::full) m_durable = m_directory.sync() && !m_directory.is_in_memory();
  }

  void start_writeback() {
    if (m_options.sync != durability::full || !m_early_writeback) return;
    const std::uint64_t complete = m_written - m_written % writeback_block;
    if (complete == m_told) return;
    m_early_writeback = m_file.start_writeback(m_told, complete - m_told);
    m_told = complete;
  }

  [[noreturn]] void refuse_count(std::uint64_t count) const {
    throw usage_error(errc::invalid_argument,
                      {.path = m_directory.file(),
                       .expected = concat({std::to_string(m_size), " bytes"}),
                       .found = concat({std::to_string(count), " bytes"})},
                      concat({std::to_string(count), " bytes written, ", std::to_string(m_size), " announced"}));
  }

  directory m_directory;
  file_descriptor m_file;
  std::string m_name;
  std::string m_temporary;
  std::string m_path;
  std::uint64_t m_size;
  std::atomic<std::uint64_t> m_written{0};
  std::uint64_t m_told = 0;  // bytes that writeback has been started for
  atomic_file_options m_options;
  stage m_stage = stage::writing;
  bool m_early_writeback = true;
  bool m_reserved = false;
  bool m_durable = false;
};

}  // namespace ckpt

#endif
