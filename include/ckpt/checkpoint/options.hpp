#ifndef CKPT_CHECKPOINT_OPTIONS_HPP
#define CKPT_CHECKPOINT_OPTIONS_HPP

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <ckpt/checkpoint/in_flight.hpp>
#include <ckpt/cipher/secret_key.hpp>
#include <ckpt/format/plan.hpp>
#include <ckpt/io/atomic_file.hpp>
#include <ckpt/model/append_values.hpp>
#include <ckpt/model/entries.hpp>
#include <ckpt/model/metadata_pairs.hpp>

namespace ckpt {

/// How far a save or load has come: in bytes of the file for a save, of the chosen content for a load.
struct progress {
  std::uint64_t done = 0;
  std::uint64_t total = 0;
};

/// How load gets at the data.
enum class read : std::uint8_t {
  map,  ///< views into the mapped file: nothing is read before it is used. Touching a file that was cut short meanwhile
        ///< is a SIGBUS, as with every mapping
  copy,  ///< read into memory that the state_dict owns, every tensor aligned to 64 bytes: for network disks, for files
         ///< that may be cut short, and where the file lays tensors out unaligned
};

struct save_options {
  /// Saved after the save object. Tensors given as lvalues are borrowed: they must live until the save is done.
  append_values append{};
  /// Asked for the name of each entry of the save object whether to save it; empty: all.
  std::function<bool(std::string_view)> choose{};
  /// Called at the beginning, after every few megabytes, and at the end. What it throws ends the save, the old file
  /// whole.
  std::function<void(ckpt::progress)> progress{};
  /// What to do with a name that comes twice, also between the save object and `append`.
  ckpt::duplicates duplicates = ckpt::duplicates::refuse;
  /// ckpt files: the data of each tensor starts at a multiple of this in the file, so that a mapping is aligned. 0, or
  /// a power of two up to 1 MiB. In safetensors files each tensor is aligned to its element in any case; there this
  /// aligns where the data begins.
  std::uint64_t align = 0;
  ckpt::durability durability = ckpt::durability::full;
  /// Permission bits of the file. The default is MindSpore's.
  unsigned permissions = 0400;
  /// What a cipher encrypts with, borrowed for the call. A usage_error without a cipher.
  borrowed_key key{};
  /// How many threads encrypt; 0: one for each core. Unless this is 1, a second thread sums the checksum of a file that
  /// is not small (8 MiB), or of one without policies fetches into the cache what is written next, where a core has
  /// nothing else to do.
  unsigned threads = 0;
  /// safetensors: pairs of `__metadata__`; "format" is "ms" unless given here.
  metadata_pairs metadata{};
  /// safetensors: whether a file gets that "format" of which nobody has said anything.
  ckpt::format_pair format_pair = ckpt::format_pair::added;
};

struct load_options {
  ckpt::read read = ckpt::read::map;
  /// Asked for each name whether to load it; empty: all.
  std::function<bool(std::string_view)> choose{};
  /// Called as the data is read; for a plain file with read::map never.
  std::function<void(ckpt::progress)> progress{};
  /// What a cipher decrypts with, borrowed for the call. A usage_error without a cipher.
  borrowed_key key{};
  /// How many threads decrypt; 0: one for each core.
  unsigned threads = 0;
  /// Whether to take an encrypted file without a seal, as MindSpore writes them: its blocks may have been dropped,
  /// exchanged or doubled, and with a CBC cipher changed, by anyone.
  bool allow_unsealed = false;
  /// Whether a load that verifies a checksum takes a file that has none. A file that was cut between two of its tensors
  /// may look so.
  bool allow_no_checksum = false;
  /// Whether load_into leaves a parameter of the network as it is where the file does not have it.
  bool allow_missing = false;
  /// What to do where a save_async of this process is yet to replace the file.
  ckpt::in_flight in_flight = ckpt::in_flight::wait;
};

/// What a save did.
struct save_report {
  std::string path;            ///< the file that was written, links resolved; empty for a sink
  std::uint64_t bytes = 0;     ///< its size
  double seconds_planned = 0;  ///< looking at the save object and laying out the file
  double seconds_staged = 0;   ///< save_async: copying what is saved, or forking
  double seconds_written = 0;  ///< handing the bytes to the kernel or the sink
  double seconds_synced = 0;   ///< sync and rename
  bool is_durable = false;     ///< whether it outlives a power cut
  bool is_sealed = false;      ///< whether it is encrypted, which the seal at its end shows to be whole
  bool has_checksum = false;   ///< whether the save named a checksum (and its process has lived to tell which one)
  std::uint32_t checksum = 0;  ///< what was written then
};

}  // namespace ckpt

#endif
