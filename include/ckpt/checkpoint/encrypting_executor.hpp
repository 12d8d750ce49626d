#ifndef CKPT_CHECKPOINT_ENCRYPTING_EXECUTOR_HPP
#define CKPT_CHECKPOINT_ENCRYPTING_EXECUTOR_HPP

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <ckpt/checkpoint/executor.hpp>
#include <ckpt/cipher/block.hpp>
#include <ckpt/cipher/concept.hpp>
#include <ckpt/cipher/seal.hpp>
#include <ckpt/cipher/secret_key.hpp>
#include <ckpt/cipher/structure.hpp>
#include <ckpt/core/function_ref.hpp>
#include <ckpt/format/plan.hpp>
#include <ckpt/format/plan_cursor.hpp>
#include <ckpt/io/aligned_memory.hpp>
#include <ckpt/io/random.hpp>
#include <ckpt/io/sink.hpp>
#include <ckpt/task/default_threads.hpp>
#include <ckpt/task/memory_lease.hpp>
#include <ckpt/task/parallel.hpp>

namespace ckpt {

/// Moves the bytes of a plan into a sink, encrypted in blocks and sealed. Draws the ivs, derives the keys and allocates
/// everything it needs in the constructor, but for what a sink that takes bytes in order has to wait in. run() may be
/// called again for as long as the content is the same: another one would be encrypted with the same ivs, which gives
/// both away.
template <cipher_policy Cipher>
class encrypting_executor {
 public:
  /// The plan must outlive the executor. Throws usage_error where there is no key or none that the cipher takes.
  encrypting_executor(const plan& what, const execution_options& options)
      : encrypting_executor(what, options, layout::plain_block_size(what.size())) {}
  /// In blocks of so many plain bytes, a multiple of cipher_unit, but for the last.
  encrypting_executor(const plan& what, const execution_options& options, std::uint64_t block_size)
      : m_plan(&what),
        m_blocks(static_cast<std::size_t>((what.size() + block_size - 1) / block_size)),
        m_block_size(block_size) {
    std::vector<std::byte> ivs((m_blocks.size() + 1) * iv_size);
    const std::string label(options.label);
    fill_random(ivs, label);
    for (std::size_t i = 0; i < m_blocks.size(); ++i) {
      sealed_block& block = m_blocks[i];
      block.offset = m_size;
      block.plain_begin = i * block_size;
      block.cipher_size = static_cast<std::uint32_t>(layout::cipher_size(plain_size(i)));
      std::memcpy(block.iv.data(), &ivs[i * iv_size], iv_size);
      m_size += layout::header_size + block.cipher_size;
    }
    std::memcpy(m_seal_iv.data(), &ivs[m_blocks.size() * iv_size], iv_size);
    m_structure = structure_of(what);
    m_seal.resize(
        static_cast<std::size_t>(layout::block_size(seal<Cipher>::size(m_blocks.size(), m_structure.size()))));
    m_size += m_seal.size();

    const std::span<const std::byte, iv_size> first_iv(m_blocks.empty() ? m_seal_iv : m_blocks.front().iv);
    const secret_bytes used = file_key<Cipher>(options.key, first_iv, label);
    const seal_keys keys(used.bytes(), first_iv);
    m_hmac.emplace(keys.seal());
    const unsigned threads = threads_or_default(options.threads);
    m_together = m_blocks.size();
    if (what.is_best_in_order()) {
      m_together = std::min(m_together, blocks_in(most_staged, threads));
      m_staged_memory = aligned_memory(static_cast<std::size_t>(std::min(what.size(), m_together * block_size)));
      m_staged.add(m_staged_memory.bytes());
    }
    const std::size_t workers = std::clamp(m_together, std::size_t{1}, std::size_t{threads});
    const std::size_t lanes = std::min((m_together + workers - 1) / workers, most_lanes);
    const auto buffer_size = static_cast<std::size_t>(
        std::min<std::uint64_t>(waiting, layout::block_size(std::min(what.size(), block_size))));
    m_workers.reserve(workers);
    for (std::size_t i = 0; i < workers; ++i)
      m_workers.push_back(std::make_unique<worker>(used.bytes(), keys, lanes, buffer_size));
  }
  encrypting_executor(const encrypting_executor&) = delete;
  encrypting_executor& operator=(const encrypting_executor&) = delete;

  /// Bytes of the encrypted file.
  [[nodiscard]] std::uint64_t size() const noexcept { return m_size; }

  /// Writes the whole file. Where the sink takes bytes in any place, each thread writes what it has encrypted, while it
  /// is still in the cache of its core; else up to 128 MiB a thread are put together in memory, as far as memory_lease
  /// lets all saves of a process have it, and written in order. What is best read in order is read into memory first,
  /// up to 256 MiB at a time. `report(done)` is called on the calling thread, with the bytes handed over so far.
  template <sink Sink>
  void run(Sink& to, function_ref<void(std::uint64_t)> report) {
    if constexpr (placing_sink<Sink>) {
      std::optional<memory_lease> lease;  // a forked process, which may not take it, has nothing of the kind to read
      if (m_staged.size() > 0) lease.emplace(m_staged.size());
      for (std::size_t first = 0; first < m_blocks.size(); first += m_together)
        encrypt(to, first, std::min(first + m_together, m_blocks.size()), report);
      encrypt_seal();
      to.write_at(m_size - m_seal.size(), m_seal);
    } else {
      const std::uint64_t memory_of_all =
          std::min<std::uint64_t>(most_in_order * m_workers.size(), memory_lease::limit - m_staged.size());
      const std::size_t together = std::min(m_together, blocks_in(memory_of_all, m_workers.size()));
      const std::uint64_t size = end_of(together);
      const memory_lease lease(m_staged.size() + size);
      aligned_memory memory(static_cast<std::size_t>(size));
      for (std::size_t first = 0; first < m_blocks.size(); first += together) {
        const std::size_t end = std::min(first + together, m_blocks.size());
        memory_window window{memory.bytes().data(), m_blocks[first].offset};
        encrypt(window, first, end, report);
        to.write(memory.bytes().first(static_cast<std::size_t>(end_of(end) - m_blocks[first].offset)));
      }
      encrypt_seal();
      to.write(std::span<const std::byte>(m_seal));
    }
    report(m_size);
  }

 private:
  using layout = block_layout<Cipher>;
  using header = block_header<Cipher>;

  static constexpr std::size_t most_lanes = Cipher::encryptor::lanes;
  /// Bytes that a thread encrypts of each block at a time: few enough for all blocks side by side to be in the second
  /// cache of its core when they are authenticated.
  static constexpr std::size_t step = std::size_t{32} << 10;
  /// Bytes that it writes of each at a time, up to multiples of this in the file: the kernel caches a file in pages as
  /// large as the writes allow.
  static constexpr std::size_t slice = most_lanes == 1 ? std::size_t{1} << 20 : std::size_t{256} << 10;
  /// Bytes of each that wait, at most, for another thread to be done with writing: the kernel lets one in at a time.
  static constexpr std::size_t waiting = 2 * slice;
  static constexpr std::uint64_t most_staged = 4 * std::uint64_t{largest_block};    // read before it is encrypted
  static constexpr std::uint64_t most_in_order = 2 * std::uint64_t{largest_block};  // a thread
  static constexpr std::uint64_t largest_structure = largest_block / 2;
  static constexpr std::uint64_t between_reports = std::uint64_t{8} << 20;

  /// One of the blocks that a worker encrypts side by side.
  struct lane {
    explicit lane(const seal_keys& keys) : mac(keys.block()) {}

    block_mac<Cipher> mac;
    plan_cursor plain;
    sealed_block* block = nullptr;
    std::uint64_t left = 0;       // plain bytes
    std::byte* buffer = nullptr;  // of what is to be written next,
    std::size_t filled = 0;       // so many bytes,
    std::uint64_t at = 0;         // at this place in the file
  };

  struct worker {
    worker(std::span<const std::byte> key, const seal_keys& keys, std::size_t lane_count, std::size_t buffer_size)
        : cipher(key), buffers(lane_count * buffer_size) {
      lanes.reserve(lane_count);
      for (std::size_t i = 0; i < lane_count; ++i)
        lanes.emplace_back(keys).buffer = buffers.bytes().data() + i * buffer_size;
    }

    typename Cipher::encryptor cipher;
    aligned_memory buffers;
    std::vector<lane> lanes;
  };

  /// Memory that holds the bytes of the file from `begin` on.
  struct memory_window {
    std::byte* bytes;
    std::uint64_t begin;
    void write_at(std::uint64_t offset, std::span<const std::byte> from) {
      std::memcpy(bytes + (offset - begin), from.data(), from.size());
    }
  };

  [[nodiscard]] std::uint64_t plain_size(std::size_t block) const noexcept {
    return std::min(m_plan->size() - block * m_block_size, m_block_size);
  }
  /// Blocks to encrypt before all threads wait for each other: four for each lane, as far as the memory holds them.
  [[nodiscard]] std::size_t blocks_in(std::uint64_t memory, std::size_t threads) const noexcept {
    const std::uint64_t fitting = memory / layout::block_size(m_block_size);
    return static_cast<std::size_t>(std::clamp(fitting, std::uint64_t{1}, std::uint64_t{4 * threads * most_lanes}));
  }
  [[nodiscard]] std::uint64_t end_of(std::size_t blocks) const noexcept {
    return blocks < m_blocks.size() ? m_blocks[blocks].offset : m_size - m_seal.size();
  }

  template <class Sink>
  void encrypt(Sink& to, std::size_t first, std::size_t end, function_ref<void(std::uint64_t)> report) {
    if (m_staged.size() > 0) stage(first, end);
    // Groups of as many blocks as there are lanes, the same number for each worker; what is left, in equal parts.
    const std::size_t workers = std::min(end - first, m_workers.size());
    const std::size_t full = (end - first) / (workers * most_lanes) * workers;
    const std::size_t rest = first + full * most_lanes;
    const std::size_t parts = std::min(workers, end - rest);
    const std::size_t groups = full + parts;
    const auto begin_of = [&](std::size_t group) {
      return group <= full ? first + group * most_lanes : rest + (end - rest) * (group - full) / parts;
    };
    run_parallel(static_cast<unsigned>(workers), [&](parallel_work& shared, unsigned number) {
      std::uint64_t reported = 0;
      const auto advance = [&](std::uint64_t size) {
        const std::uint64_t done = shared.advance(size);
        if (number != 0 || done - reported < between_reports) return;
        reported = done;
        report(m_blocks[first].offset + done);
      };
      for (std::size_t group = shared.take(groups); group < groups; group = shared.take(groups))
        encrypt_group(*m_workers[number], begin_of(group), begin_of(group + 1), to, shared, advance);
    });
  }

  /// Reads the plain bytes of the blocks [first, end).
  void stage(std::size_t first, std::size_t end) {
    m_staged_begin = m_blocks[first].plain_begin;
    const std::uint64_t size = m_blocks[end - 1].plain_begin + plain_size(end - 1) - m_staged_begin;
    plan_cursor from;
    from.seek(*m_plan, m_staged_begin);
    from.read_together(m_staged_memory.bytes().first(static_cast<std::size_t>(size)));
  }

  /// Encrypts the blocks [first, end) side by side. `advance(bytes)` is told what was written.
  template <class Sink>
  void encrypt_group(worker& with, std::size_t first, std::size_t end, Sink& to, parallel_work& shared,
                     function_ref<void(std::uint64_t)> advance) {
    std::array<cipher_lane, most_lanes> lanes;
    std::size_t active = end - first;
    for (std::size_t i = 0; i < active; ++i) {
      begin_block(with, i, first + i);
      lanes[i].number = i;
    }
    while (active > 0 && !shared.is_stopped()) {
      std::uint64_t most = step;
      for (const cipher_lane& each : std::span(lanes).first(active)) {
        const lane& from = with.lanes[each.number];
        most = std::min({most, whole_units(from.left), slice - (from.at + from.filled) % slice});
      }
      const auto size = static_cast<std::size_t>(most);
      for (cipher_lane& each : std::span(lanes).first(active)) take_plain(with.lanes[each.number], each, size);
      if (size > 0) with.cipher.process({lanes.data(), active}, size);
      for (std::size_t i = 0; i < active;) {
        lane& each = with.lanes[lanes[i].number];
        add_text(each, size, to, advance);
        if (whole_units(each.left) > 0) {
          ++i;
        } else {
          finish_block(with, lanes[i].number, to, advance);
          lanes[i] = lanes[--active];
        }
      }
    }
  }

  /// How many of the bytes that are left can be encrypted before the end of the block.
  static constexpr std::uint64_t whole_units(std::uint64_t left) noexcept {
    return Cipher::is_padded ? left / cipher_unit * cipher_unit : left;
  }

  void begin_block(worker& with, std::size_t number, std::size_t block) {
    lane& each = with.lanes[number];
    each.block = &m_blocks[block];
    each.left = plain_size(block);
    each.at = each.block->offset;
    each.filled = 0;
    each.plain.seek(m_staged.size() > 0 ? m_staged : *m_plan, each.block->plain_begin - m_staged_begin);
    with.cipher.begin(number, each.block->iv);
    if constexpr (Cipher::is_authenticated) {  // the header has the tag, which is known when all else has been written
      each.at += layout::header_size;
    } else {
      const header head(each.block->cipher_size, each.block->iv);
      std::memcpy(each.buffer, head.bytes().data(), layout::header_size);
      each.filled = layout::header_size;
      each.mac.begin(block);
      each.mac.update(head.bytes());
    }
  }

  /// The next plain bytes: from where they lie, where that is one piece, else copied together.
  static void take_plain(lane& from, cipher_lane& to, std::size_t size) {
    const std::span<const std::byte> run = from.plain.run();
    to.out = from.buffer + from.filled;
    if (run.size() >= size) {
      to.in = run.data();
      from.plain.skip(size);
    } else {
      to.in = to.out;
      from.plain.read({to.out, size});
    }
    from.left -= size;
  }

  /// Takes what has been encrypted into the buffer, and writes that where it goes up to a multiple of `slice`, unless
  /// another thread writes and there is room for the next one.
  template <class Sink>
  void add_text(lane& to, std::size_t size, Sink& sink, function_ref<void(std::uint64_t)> advance) {
    to.mac.update({to.buffer + to.filled, size});
    to.filled += size;
    if ((to.at + to.filled) % slice != 0) return;
    if (to.filled + slice > waiting || !m_is_writing.load(std::memory_order_relaxed)) put_text(to, sink, advance);
  }

  template <class Sink>
  void put_text(lane& from, Sink& to, function_ref<void(std::uint64_t)> advance) {
    if (from.filled == 0) return;
    m_is_writing.store(true, std::memory_order_relaxed);
    to.write_at(from.at, std::span<const std::byte>(from.buffer, from.filled));
    m_is_writing.store(false, std::memory_order_relaxed);
    from.at += from.filled;
    advance(from.filled);
    from.filled = 0;
  }

  /// The padding of the block, where the cipher takes whole units, and the tag or GMAC.
  template <class Sink>
  void finish_block(worker& with, std::size_t number, Sink& to, function_ref<void(std::uint64_t)> advance) {
    lane& each = with.lanes[number];
    if constexpr (Cipher::is_padded) {
      const auto tail = static_cast<std::size_t>(each.left);
      std::byte* const text = each.buffer + each.filled;
      each.plain.read({text, tail});
      pad({text, cipher_unit}, tail);
      each.left = 0;
      const cipher_lane last{number, text, text};
      with.cipher.process({&last, 1}, cipher_unit);
      add_text(each, cipher_unit, to, advance);
    }
    put_text(each, to, advance);
    if constexpr (Cipher::is_authenticated) {
      header head(each.block->cipher_size, each.block->iv);
      with.cipher.tag(number, head.tag());
      std::memcpy(each.block->mac.data(), head.tag().data(), tag_size);
      to.write_at(each.block->offset, head.bytes());
      advance(layout::header_size);
    } else {
      each.mac.finish(each.block->mac);
    }
  }

  /// The plan without the content of its tensors; nothing where that would be more than a sixteenth of it and 4 KiB, or
  /// more than half a block.
  [[nodiscard]] static std::vector<std::byte> structure_of(const plan& what) {
    structure_writer structure;
    const std::uint64_t most = std::min(what.size() / 16 + 4096, largest_structure);
    for (const segment& next : what.segments()) {
      if (next.is_content()) {
        structure.leave_out(next.size());
        continue;
      }
      if (next.is_gathered() || structure.size() + next.size() > most) return {};
      structure.keep(next.bytes());
    }
    return structure.finish();
  }

  /// Puts the whole block of the seal into m_seal: every other block is done.
  void encrypt_seal() {
    const std::span<std::byte> text = std::span(m_seal).subspan(layout::header_size);
    const auto plain = static_cast<std::size_t>(seal<Cipher>::size(m_blocks.size(), m_structure.size()));
    seal<Cipher>::write(text.first(plain), m_blocks, m_plan->size(), m_structure, m_seal_iv, *m_hmac);
    pad(text, plain);
    typename Cipher::encryptor& cipher = m_workers.front()->cipher;
    cipher.begin(0, m_seal_iv);
    const cipher_lane whole{0, text.data(), text.data()};
    cipher.process({&whole, 1}, text.size());
    header head(static_cast<std::uint32_t>(text.size()), m_seal_iv);
    if constexpr (Cipher::is_authenticated) cipher.tag(0, head.tag());
    std::memcpy(m_seal.data(), head.bytes().data(), head.bytes().size());
  }

  const plan* m_plan;
  std::vector<sealed_block> m_blocks;
  std::uint64_t m_block_size;  // plain bytes
  std::vector<std::byte> m_structure;
  std::vector<std::byte> m_seal;  // the last block of the file
  std::array<std::byte, iv_size> m_seal_iv{};
  std::optional<cryptopp::hmac_sha256> m_hmac;
  std::vector<std::unique_ptr<worker>> m_workers;
  std::atomic<bool> m_is_writing{false};  // whether a thread is, as far as the others need to know
  aligned_memory m_staged_memory;         // only for a plan that is best read in order
  plan m_staged;                          // of what lies there
  std::uint64_t m_staged_begin = 0;
  std::size_t m_together = 0;  // blocks that are encrypted before others are begun with
  std::uint64_t m_size = 0;
};

template <cipher_policy Cipher, class Checksum>
struct detail::executor_of<Cipher, Checksum> {
  using type = encrypting_executor<Cipher>;
};

}  // namespace ckpt

#endif
