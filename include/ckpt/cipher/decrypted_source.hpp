#ifndef CKPT_CIPHER_DECRYPTED_SOURCE_HPP
#define CKPT_CIPHER_DECRYPTED_SOURCE_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <ckpt/cipher/block.hpp>
#include <ckpt/cipher/concept.hpp>
#include <ckpt/cipher/cryptopp.hpp>
#include <ckpt/cipher/decryption.hpp>
#include <ckpt/cipher/encrypted_blocks.hpp>
#include <ckpt/cipher/seal.hpp>
#include <ckpt/core/byte_span.hpp>
#include <ckpt/core/function_ref.hpp>
#include <ckpt/core/owner.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/io/aligned_memory.hpp>
#include <ckpt/io/source.hpp>
#include <ckpt/task/default_threads.hpp>
#include <ckpt/task/parallel.hpp>

namespace ckpt {

/// The plain bytes of an encrypted file. Blocks are decrypted where they are asked for, each straight to where it is
/// wanted; none of its bytes is to be used, and none can be by way of this class, before the whole block is known to be
/// the one that was written: by its tag, or by its GMAC in the seal. That holds whatever happens to the file meanwhile.
template <cipher_policy Cipher>
class decrypted_source final : public source {
 public:
  /// Throws what encrypted_blocks does.
  decrypted_source(owner<const source> file, const decryption& how)
      : source(file->label()),
        m_file(std::move(file)),
        m_step(m_file->data() != nullptr ? cryptopp::in_first_cache : step_of_reads),
        m_threads(threads_or_default(how.threads)),
        m_blocks(*m_file, how) {}

  [[nodiscard]] std::uint64_t size() const noexcept override { return m_blocks.plain_size(); }
  [[nodiscard]] bool is_sealed() const noexcept { return m_blocks.is_sealed(); }
  /// The plain bytes without the content of tensors (structure.hpp), where the seal has them; else nothing.
  [[nodiscard]] sequence<std::byte> structure() const noexcept { return m_blocks.structure(); }

  [[nodiscard]] bool is_best_in_order() const noexcept override { return true; }

  /// Whole blocks go straight to `to`, as by read_all(). Those that are not asked for as a whole are kept for the reads
  /// that come next: the last one, and where blocks have been asked for one after the other, with it those that follow,
  /// one for each thread, up to most_kept.
  void read(std::uint64_t offset, byte_span to) const override {
    require(offset, to.size());
    while (!to.empty()) {
      const std::size_t number = m_blocks.block_at(offset);
      std::size_t size = m_blocks.whole_blocks(number, offset, to.size());
      if (size > 0) {
        const read_request whole{offset, to.first(size)};
        read_all({&whole, 1}, [](std::uint64_t) {});
      } else {
        const std::uint64_t left = m_blocks.end_of(number) - offset;
        size = left < to.size() ? static_cast<std::size_t>(left) : to.size();
        const std::lock_guard lock(m_mutex);
        std::memcpy(to.data(), kept(number) + (offset - m_blocks[number].plain_begin), size);
      }
      offset += size;
      to = to.subspan(size);
    }
  }

  /// By several threads, a block each at a time.
  void read_all(sequence<read_request> requests, function_ref<void(std::uint64_t)> report) const override {
    std::vector<std::size_t> wanted;
    for (const read_request& each : requests) {
      require(each.offset, each.to.size());
      if (each.to.empty()) continue;
      for (std::size_t number = m_blocks.block_at(each.offset);
           number < m_blocks.count() && m_blocks[number].plain_begin < each.offset + each.to.size(); ++number)
        if (wanted.empty() || wanted.back() < number) wanted.push_back(number);
    }
    const std::size_t workers = std::min<std::size_t>(m_threads, wanted.size());
    if (workers == 0) return;
    run_parallel(static_cast<unsigned>(workers), [&](parallel_work& shared, unsigned number) {
      worker self(m_blocks, m_step);
      for (std::size_t next = shared.take(wanted.size()); next < wanted.size(); next = shared.take(wanted.size())) {
        const std::uint64_t done = shared.advance(decrypt(self, wanted[next], requests));
        if (number == 0) report(done);
      }
    });
  }

 private:
  using layout = block_layout<Cipher>;
  using header = block_header<Cipher>;

  static constexpr std::size_t step_of_reads = std::size_t{256} << 10;
  static constexpr std::uint64_t most_kept = 4 * std::uint64_t{largest_block};  // a larger block is kept alone

  /// What a thread needs to decrypt, so many bytes at a time.
  struct worker {
    worker(const encrypted_blocks<Cipher>& blocks, std::size_t step) : cipher(blocks.key()), in(step), out(step) {
      if (!blocks.mac_key().empty()) mac.emplace(blocks.mac_key());
    }

    typename Cipher::decryptor cipher;
    std::optional<block_mac<Cipher>> mac;  // where GMACs of the blocks are known
    aligned_memory in;
    aligned_memory out;
  };

  /// The plain bytes of a block; m_mutex is held.
  [[nodiscard]] const std::byte* kept(std::size_t number) const {
    if (number - m_kept_first >= m_kept_count) {  // also where it lies before them
      const bool follows = m_kept_count > 0 && number == m_kept_first + m_kept_count;
      const std::size_t most =
          std::min<std::size_t>({follows ? 2 * m_kept_count : 1, m_threads, m_blocks.count() - number});
      std::size_t count = 1;
      while (count < most && m_blocks.end_of(number + count) - m_blocks[number].plain_begin <= most_kept) ++count;
      try {
        keep(number, count);
      } catch (const std::exception&) {
        if (count == 1) throw;
        keep(number, 1);  // what is wrong with those that follow is for those who ask for them
      }
    }
    return m_kept.bytes().data() + (m_blocks[number].plain_begin - m_blocks[m_kept_first].plain_begin);
  }

  void keep(std::size_t first, std::size_t count) const {
    m_kept_count = 0;
    const std::uint64_t begin = m_blocks[first].plain_begin;
    const auto size = static_cast<std::size_t>(m_blocks.end_of(first + count - 1) - begin);
    if (m_kept.bytes().size() < size || m_kept.bytes().size() / 2 > size) {
      m_kept = {};
      m_kept = aligned_memory(size);
    }
    const read_request whole{begin, m_kept.bytes().first(size)};
    read_all({&whole, 1}, [](std::uint64_t) {});
    m_kept_first = first;
    m_kept_count = count;
  }

  /// Decrypts one block to where the requests want its bytes; returns how many that were. Throws integrity_error where
  /// it is not the block that was written.
  std::uint64_t decrypt(worker& with, std::size_t number, sequence<read_request> requests) const {
    const sealed_block& block = m_blocks[number];
    const std::uint64_t plain = m_blocks.plain_size(number);
    const read_request* next = std::upper_bound(  // the first that ends after the block begins
        requests.data(), requests.data() + requests.size(), block.plain_begin,
        [](std::uint64_t place, const read_request& each) { return place < each.offset + each.to.size(); });
    const read_request* const end = requests.data() + requests.size();
    with.cipher.begin(block.iv);
    if (with.mac) {
      with.mac->begin(number);
      with.mac->update(header(block.cipher_size, block.iv).bytes());
    }
    std::uint64_t used = 0;
    for (std::uint64_t at = 0; at < block.cipher_size; at += m_step) {
      const std::uint64_t left = block.cipher_size - at;
      const std::size_t size = left < m_step ? static_cast<std::size_t>(left) : m_step;
      // Copied from a mapping, too: who may write to the file could change it between its authentication and its
      // decryption.
      const std::byte* const text = with.in.bytes().data();
      m_file->read(block.offset + layout::header_size + at, with.in.bytes().first(size));
      if (with.mac) with.mac->update({text, size});
      const std::uint64_t begin = block.plain_begin + at;
      const auto plain_here = static_cast<std::size_t>(plain - at < size ? plain - at : size);
      while (next != end && next->offset + next->to.size() <= begin) ++next;
      if (next != end && plain_here == size && next->offset <= begin &&
          next->offset + next->to.size() >= begin + size) {
        with.cipher.process(text, next->to.data() + (begin - next->offset), size);
        used += size;
        continue;
      }
      with.cipher.process(text, with.out.bytes().data(), size);
      for (const read_request* each = next; each != end && each->offset < begin + plain_here; ++each) {
        const std::uint64_t from = std::max(each->offset, begin);
        const std::uint64_t to = std::min<std::uint64_t>(each->offset + each->to.size(), begin + plain_here);
        if (from >= to) continue;
        std::memcpy(each->to.data() + (from - each->offset), with.out.bytes().data() + (from - begin),
                    static_cast<std::size_t>(to - from));
        used += to - from;
      }
    }
    if (!is_authentic(with, block)) m_blocks.refuse_block(number);
    return used;
  }

  [[nodiscard]] static bool is_authentic(worker& with, const sealed_block& block) {
    if constexpr (Cipher::is_authenticated) {
      return with.cipher.verify(block.mac);
    } else {
      if (!with.mac) return true;  // not sealed, and allowed to be
      std::array<std::byte, tag_size> found;
      with.mac->finish(found);
      return cryptopp::equal(found, block.mac);
    }
  }

  owner<const source> m_file;
  std::size_t m_step;
  unsigned m_threads;
  encrypted_blocks<Cipher> m_blocks;
  mutable std::mutex m_mutex;
  mutable aligned_memory m_kept;
  mutable std::size_t m_kept_first = 0;
  mutable std::size_t m_kept_count = 0;
};

}  // namespace ckpt

#endif
