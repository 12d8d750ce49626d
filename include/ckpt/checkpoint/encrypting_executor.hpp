#ifndef CKPT_CHECKPOINT_ENCRYPTING_EXECUTOR_HPP
#define CKPT_CHECKPOINT_ENCRYPTING_EXECUTOR_HPP

#include <algorithm>
#include <array>
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
template <cipher_policy Cipher, std::size_t PlainBlockSize = plain_block_size>
class encrypting_executor {
  static_assert(PlainBlockSize % cipher_unit == 0, "only the last block may end within a unit of the cipher");

 public:
  /// The plan must outlive the executor. Throws usage_error where there is no key or none that the cipher takes.
  encrypting_executor(const plan& what, const execution_options& options)
      : m_plan(&what), m_blocks(static_cast<std::size_t>((what.size() + PlainBlockSize - 1) / PlainBlockSize)) {
    std::vector<std::byte> ivs((m_blocks.size() + 1) * iv_size);
    const std::string label(options.label);
    fill_random(ivs, label);
    for (std::size_t i = 0; i < m_blocks.size(); ++i) {
      sealed_block& block = m_blocks[i];
      block.offset = m_size;
      block.plain_begin = std::uint64_t{i} * PlainBlockSize;
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
    constexpr std::size_t lanes = Cipher::encryptor::lanes;
    m_together = m_blocks.size();
    if (what.is_best_in_order()) {
      m_together = std::min({m_together, threads * lanes, most_staged});
      m_staged_memory = aligned_memory(static_cast<std::size_t>(std::min(what.size(), m_together * PlainBlockSize)));
      m_staged.add(m_staged_memory.bytes());
    }
    m_side_by_side = std::clamp((m_together + threads - 1) / threads, std::size_t{1}, lanes);
    const std::size_t groups = (m_together + m_side_by_side - 1) / m_side_by_side;
    m_workers.reserve(std::min(std::size_t{threads}, groups + 1));
    do {
      m_workers.push_back(std::make_unique<worker>(used.bytes(), keys, m_side_by_side));
    } while (m_workers.size() < threads && m_workers.size() < groups);
  }
  encrypting_executor(const encrypting_executor&) = delete;
  encrypting_executor& operator=(const encrypting_executor&) = delete;

  /// Bytes of the encrypted file.
  [[nodiscard]] std::uint64_t size() const noexcept { return m_size; }

  /// Writes the whole file. Where the sink takes bytes in any place, each thread writes what it has encrypted, while it
  /// is still in the cache of its core; else two blocks a thread are put together in memory, as far as memory_lease
  /// lets all saves of a process have it, and written in order. What is best read in order is read into memory first, a
  /// few blocks at a time. `report(done)` is called on the calling thread, with the bytes handed over so far.
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
      const std::size_t fitting = (memory_lease::limit - m_staged.size()) / layout::block_size(PlainBlockSize);
      const std::size_t together = std::min({2 * m_workers.size(), m_together, std::max(fitting, std::size_t{1})});
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

  /// Bytes that a thread encrypts of each block before it writes them: with all blocks side by side no more than the
  /// cache of a core holds. The first of them are fewer, so that the rest end at multiples of this in the file: the
  /// kernel caches a file in pages as large as the writes allow.
  static constexpr std::size_t slice = (std::size_t{1} << 20) / Cipher::encryptor::lanes;
  static constexpr std::size_t most_staged = 4;  // blocks, read before they are encrypted
  static constexpr std::uint64_t largest_structure = plain_block_size / 2;
  static constexpr std::uint64_t between_reports = std::uint64_t{8} << 20;

  /// One of the blocks that a worker encrypts side by side.
  struct lane {
    explicit lane(const seal_keys& keys) : mac(keys.block()) {}

    block_mac<Cipher> mac;
    plan_cursor plain;
    sealed_block* block = nullptr;
    std::uint64_t left = 0;  // plain bytes
    std::uint64_t at = 0;    // where the next cipher bytes go in the file
    std::byte* buffer = nullptr;
  };

  struct worker {
    worker(std::span<const std::byte> key, const seal_keys& keys, std::size_t lane_count)
        : cipher(key), buffers(lane_count * slice) {
      lanes.reserve(lane_count);
      for (std::size_t i = 0; i < lane_count; ++i) lanes.emplace_back(keys).buffer = buffers.bytes().data() + i * slice;
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
    const std::uint64_t left = m_plan->size() - std::uint64_t{block} * PlainBlockSize;
    return left < PlainBlockSize ? left : PlainBlockSize;
  }
  [[nodiscard]] std::uint64_t end_of(std::size_t blocks) const noexcept {
    return blocks < m_blocks.size() ? m_blocks[blocks].offset : m_size - m_seal.size();
  }

  template <class Sink>
  void encrypt(Sink& to, std::size_t first, std::size_t end, function_ref<void(std::uint64_t)> report) {
    const std::size_t groups = (end - first + m_side_by_side - 1) / m_side_by_side;
    if (groups == 0) return;
    if (m_staged.size() > 0) stage(first, end);
    const std::size_t workers = std::min(groups, m_workers.size());
    run_parallel(static_cast<unsigned>(workers), [&](parallel_work& shared, unsigned number) {
      std::uint64_t reported = 0;
      const auto advance = [&](std::uint64_t size) {
        const std::uint64_t done = shared.advance(size);
        if (number != 0 || done - reported < between_reports) return;
        reported = done;
        report(m_blocks[first].offset + done);
      };
      for (std::size_t group = shared.take(groups); group < groups; group = shared.take(groups)) {
        const std::size_t begin = first + group * m_side_by_side;
        encrypt_group(*m_workers[number], begin, std::min(begin + m_side_by_side, end), to, shared, advance);
      }
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
    std::array<cipher_lane, Cipher::encryptor::lanes> lanes;
    std::size_t active = end - first;
    for (std::size_t i = 0; i < active; ++i) {
      begin_block(with, i, first + i);
      lanes[i].number = i;
    }
    while (active > 0 && !shared.is_stopped()) {
      std::uint64_t step = slice - with.lanes[lanes[0].number].at % slice;
      for (const cipher_lane& each : std::span(lanes).first(active))
        if (const std::uint64_t left = whole_units(with.lanes[each.number].left); left < step) step = left;
      const auto size = static_cast<std::size_t>(step);
      for (cipher_lane& each : std::span(lanes).first(active)) take_plain(with.lanes[each.number], each, size);
      if (size > 0) with.cipher.process({lanes.data(), active}, size);
      for (std::size_t i = 0; i < active;) {
        lane& each = with.lanes[lanes[i].number];
        put_text(each, size, to, advance);
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
    each.at = each.block->offset + layout::header_size;
    each.plain.seek(m_staged.size() > 0 ? m_staged : *m_plan, each.block->plain_begin - m_staged_begin);
    with.cipher.begin(number, each.block->iv);
    each.mac.begin(block);
    each.mac.update(header(each.block->cipher_size, each.block->iv).bytes());
  }

  /// The next plain bytes: from where they lie, where that is one piece, else copied together.
  static void take_plain(lane& from, cipher_lane& to, std::size_t size) {
    const std::span<const std::byte> run = from.plain.run();
    to.out = from.buffer;
    if (run.size() >= size) {
      to.in = run.data();
      from.plain.skip(size);
    } else {
      to.in = from.buffer;
      from.plain.read({from.buffer, size});
    }
    from.left -= size;
  }

  template <class Sink>
  static void put_text(lane& from, std::size_t size, Sink& to, function_ref<void(std::uint64_t)> advance) {
    if (size == 0) return;
    const std::span<const std::byte> text(from.buffer, size);
    from.mac.update(text);
    to.write_at(from.at, text);
    from.at += size;
    advance(size);
  }

  /// The padding of the block, where the cipher takes whole units, and its header, with the tag.
  template <class Sink>
  void finish_block(worker& with, std::size_t number, Sink& to, function_ref<void(std::uint64_t)> advance) {
    lane& each = with.lanes[number];
    if constexpr (Cipher::is_padded) {
      const auto tail = static_cast<std::size_t>(each.left);
      each.plain.read({each.buffer, tail});
      pad({each.buffer, cipher_unit}, tail);
      each.left = 0;
      const cipher_lane last{number, each.buffer, each.buffer};
      with.cipher.process({&last, 1}, cipher_unit);
      put_text(each, cipher_unit, to, advance);
    }
    header head(each.block->cipher_size, each.block->iv);
    if constexpr (Cipher::is_authenticated) {
      with.cipher.tag(number, head.tag());
      std::memcpy(each.block->mac.data(), head.tag().data(), tag_size);
    } else {
      each.mac.finish(each.block->mac);
    }
    to.write_at(each.block->offset, head.bytes());
    advance(layout::header_size);
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
  std::vector<std::byte> m_structure;
  std::vector<std::byte> m_seal;  // the last block of the file
  std::array<std::byte, iv_size> m_seal_iv{};
  std::optional<cryptopp::hmac_sha256> m_hmac;
  std::vector<std::unique_ptr<worker>> m_workers;
  aligned_memory m_staged_memory;  // only for a plan that is best read in order
  plan m_staged;                   // of what lies there
  std::uint64_t m_staged_begin = 0;
  std::size_t m_together = 0;  // blocks that are encrypted before others are begun with
  std::size_t m_side_by_side = 1;
  std::uint64_t m_size = 0;
};

template <cipher_policy Cipher, class Checksum>
struct detail::executor_of<Cipher, Checksum> {
  using type = encrypting_executor<Cipher>;
};

}  // namespace ckpt

#endif
