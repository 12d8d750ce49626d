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
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <ckpt/cipher/block.hpp>
#include <ckpt/cipher/concept.hpp>
#include <ckpt/cipher/cryptopp.hpp>
#include <ckpt/cipher/known_ciphers.hpp>
#include <ckpt/cipher/seal.hpp>
#include <ckpt/cipher/secret_key.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/function_ref.hpp>
#include <ckpt/core/owner.hpp>
#include <ckpt/io/aligned_memory.hpp>
#include <ckpt/io/source.hpp>
#include <ckpt/task/parallel.hpp>

namespace ckpt {

/// How an encrypted file is to be read.
struct decryption {
  const secret_key* key = nullptr;
  unsigned threads = 0;         ///< that decrypt; 0: one for each core
  bool allow_unsealed = false;  ///< whether to take a file that nothing vouches for as a whole
};

/// The plain bytes of an encrypted file. Blocks are decrypted where they are asked for, each straight to where it is
/// wanted; none of its bytes is to be used, and none can be by way of this class, before the whole block is known to be
/// the one that was written: by its tag, or by its GMAC in the seal.
template <cipher_policy Cipher>
class decrypted_source final : public source {
 public:
  /// Reads the headers of all blocks, and the seal. Throws usage_error where there is
  /// no key or none that the cipher takes; format_error where the file is not encrypted, or with another cipher, or its
  /// blocks do not fill it exactly; integrity_error where the key is another, or the seal is not over these blocks, or
  /// there is none and that is not allowed.
  decrypted_source(owner<const source> file, const decryption& how)
      : source(file->label()), m_file(std::move(file)), m_threads(how.threads == 0 ? default_threads() : how.threads) {
    check_start();
    find_blocks();
    m_key = file_key<Cipher>(how.key, m_blocks.front().iv, label());
    const seal_keys keys(m_key.bytes(), m_blocks.front().iv);
    m_is_sealed = check_seal(keys);
    if (!m_is_sealed) {
      require_right_key();
      if (!how.allow_unsealed)
        throw integrity_error(errc::unsealed, {.path = label()},
                              "the file is not sealed: nothing shows that its blocks are all there and in place. "
                              "MindSpore's own files are such; where you trust it, load it with "
                              ".allow_unsealed = true");
    }
    if (m_is_sealed && !Cipher::is_authenticated) m_mac_key = secret_bytes(keys.block());
    place_blocks();
  }

  [[nodiscard]] std::uint64_t size() const noexcept override { return m_size; }
  [[nodiscard]] bool is_sealed() const noexcept { return m_is_sealed; }
  /// The plain bytes without the content of tensors (structure.hpp), where the seal has them; else nothing.
  [[nodiscard]] sequence<std::byte> structure() const noexcept { return m_structure; }

  [[nodiscard]] bool is_best_in_order() const noexcept override { return true; }

  /// Whole blocks go straight to `to`, as by read_all(). Those that are not asked for as a whole are kept for the reads
  /// that come next: the last one, and where blocks have been asked for one after the other, with it those that follow,
  /// one for each thread, up to most_kept.
  void read(std::uint64_t offset, std::span<std::byte> to) const override {
    require(offset, to.size());
    while (!to.empty()) {
      const std::size_t number = block_at(offset);
      std::size_t size = whole_blocks(number, offset, to.size());
      if (size > 0) {
        const read_request whole{offset, to.first(size)};
        read_all({&whole, 1}, [](std::uint64_t) {});
      } else {
        const std::uint64_t left = end_of(number) - offset;
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
      for (std::size_t number = block_at(each.offset);
           number < m_blocks.size() && m_blocks[number].plain_begin < each.offset + each.to.size(); ++number)
        if (wanted.empty() || wanted.back() < number) wanted.push_back(number);
    }
    const std::size_t workers = std::min<std::size_t>(m_threads, wanted.size());
    if (workers == 0) return;
    run_parallel(static_cast<unsigned>(workers), [&](parallel_work& shared, unsigned number) {
      worker self(*this);
      for (std::size_t next = shared.take(wanted.size()); next < wanted.size(); next = shared.take(wanted.size())) {
        const std::uint64_t done = shared.advance(decrypt(self, wanted[next], requests));
        if (number == 0) report(done);
      }
    });
  }

 private:
  using layout = block_layout<Cipher>;
  using header = block_header<Cipher>;

  static constexpr std::size_t slice = std::size_t{256} << 10;
  static constexpr std::uint64_t most_kept = 4 * std::uint64_t{plain_block_size};  // a larger block is kept alone
  static constexpr std::size_t peeked = 32;  // bytes at the beginning of a block that tell a seal, or a wrong key

  /// What a thread needs to decrypt.
  struct worker {
    explicit worker(const decrypted_source& from)
        : cipher(from.m_key.bytes()), in(from.m_file->data() == nullptr ? slice : 0), out(slice) {
      if (from.m_mac_key.size() > 0) mac.emplace(from.m_mac_key.bytes());
    }

    typename Cipher::decryptor cipher;
    std::optional<block_mac<Cipher>> mac;  // where GMACs of the blocks are known
    aligned_memory in;
    aligned_memory out;
  };

  void check_start() const {
    std::array<std::byte, 4> magic{};
    if (m_file->size() >= magic.size()) {
      m_file->read(0, magic);
      if (load_le<std::uint32_t>(magic.data()) == Cipher::magic) return;
    }
    if (const known_cipher* const other = find_cipher(magic))
      throw format_error(errc::encrypted,
                         {.path = label(), .expected = std::string(Cipher::name), .found = std::string(other->name)},
                         concat({"the file is encrypted with ", other->name, ", not with ", Cipher::name,
                                 ": load it with ", other->policy}));
    throw format_error(errc::not_encrypted, {.path = label()},
                       "the file is not encrypted: load it without a cipher and a key");
  }

  void find_blocks() {
    for (std::uint64_t offset = 0; offset < m_file->size();) {
      const std::uint64_t left = m_file->size() - offset;
      if (left < layout::header_size)
        throw format_error(
            errc::truncated, {.path = label(), .offset = offset},
            concat({"the header of a block has ", std::to_string(std::uint64_t{layout::header_size}), " bytes where ",
                    std::to_string(left), " are left: the file was cut short or damaged"}));
      header head;
      m_file->read(offset, head.bytes());
      head.validate(label(), offset, left);
      sealed_block& next = m_blocks.emplace_back();
      next.offset = offset;
      next.cipher_size = head.cipher_size();
      std::memcpy(next.iv.data(), head.iv().data(), iv_size);
      if constexpr (Cipher::is_authenticated) std::memcpy(next.mac.data(), head.tag().data(), tag_size);
      offset += layout::header_size + next.cipher_size;
    }
  }

  /// Whether the last block is a seal; then it is taken off the blocks. Throws integrity_error where it is one, but not
  /// over these blocks.
  bool check_seal(const seal_keys& keys) {
    const sealed_block last = m_blocks.back();
    const std::span<sealed_block> others(m_blocks.data(), m_blocks.size() - 1);
    if constexpr (!Cipher::is_authenticated)
      if (!seal<Cipher>::is_one(decrypt_start(last))) return false;
    std::vector<std::byte> text(last.cipher_size);
    std::vector<std::byte> plain(last.cipher_size);
    m_file->read(last.offset + layout::header_size, text);
    typename Cipher::decryptor cipher(m_key.bytes());
    cipher.begin(last.iv);
    cipher.process(text.data(), plain.data(), text.size());
    if constexpr (Cipher::is_authenticated) {
      if (!cipher.verify(last.mac)) refuse_block(m_blocks.size() - 1);
      if (!seal<Cipher>::is_one(plain)) return false;
    }
    typename seal<Cipher>::content said;
    if (!seal<Cipher>::check(plain, others, last.iv, keys, said))
      throw integrity_error(errc::authentication, {.path = label(), .offset = last.offset},
                            "the seal is not over these blocks: one was damaged, dropped, exchanged or put in, or the "
                            "seal itself was damaged");
    m_size = said.plain_size;
    m_structure = std::move(said.structure);
    m_seal_offset = last.offset;
    m_blocks.pop_back();
    return true;
  }

  /// Throws integrity_error where an unsealed file of a cipher that does not authenticate, decrypted, does not begin as
  /// every ckpt file does: with a value (0x0a), its length, and its tag (0x0a).
  void require_right_key() const {
    if constexpr (!Cipher::is_authenticated) {
      const std::array<std::byte, peeked> plain = decrypt_start(m_blocks.front());
      std::size_t tag = 1;
      while (tag < 11 && plain[tag] >= std::byte{0x80}) ++tag;
      if (plain[0] != std::byte{0x0a} || plain[tag + 1] != std::byte{0x0a})
        throw integrity_error(errc::key, {.path = label()}, wrong_key);
    }
  }

  /// The first plain bytes of a block of a cipher that does not authenticate, as far as there are any.
  [[nodiscard]] std::array<std::byte, peeked> decrypt_start(const sealed_block& block) const {
    std::array<std::byte, peeked> plain{};
    const std::size_t size = block.cipher_size < peeked ? block.cipher_size : peeked;
    decrypt_few(block.offset + layout::header_size, block.iv, std::span(plain).first(size));
    return plain;
  }

  /// Decrypts the few bytes of cipher text that stand at `offset` in the file, of a cipher that does not authenticate.
  void decrypt_few(std::uint64_t offset, std::span<const std::byte, iv_size> iv, std::span<std::byte> to) const {
    std::array<std::byte, peeked> text;
    m_file->read(offset, std::span(text).first(to.size()));
    typename Cipher::decryptor cipher(m_key.bytes());
    cipher.begin(iv);
    cipher.process(text.data(), to.data(), to.size());
  }

  /// Finds the plain size of each block: that of its cipher text less the padding, of which a seal leaves no doubt.
  void place_blocks() {
    const std::uint64_t sealed_size = m_size;
    m_size = 0;
    for (std::size_t number = 0; number < m_blocks.size(); ++number) {
      sealed_block& block = m_blocks[number];
      block.plain_begin = m_size;
      std::uint64_t plain = block.cipher_size;
      if (Cipher::is_padded && !m_is_sealed) plain -= padding_of(number);
      if (Cipher::is_padded && m_is_sealed)
        plain = number + 1 < m_blocks.size() ? plain - cipher_unit : sealed_size - m_size;
      m_size += plain;
      if (layout::cipher_size(plain) != block.cipher_size || (m_is_sealed && m_size > sealed_size))
        throw integrity_error(errc::authentication, {.path = label(), .offset = block.offset},
                              "the seal does not give the blocks of this file their sizes");
    }
    if (m_is_sealed && m_size != sealed_size)
      throw integrity_error(errc::authentication, {.path = label(), .offset = m_seal_offset},
                            concat({"the blocks have ", std::to_string(m_size), " plain bytes, the seal says ",
                                    std::to_string(sealed_size)}));
  }

  /// Bytes of padding at the end of a block that no seal says it of.
  [[nodiscard]] std::uint64_t padding_of(std::size_t number) const {
    const sealed_block& block = m_blocks[number];
    std::array<std::byte, cipher_unit> before = block.iv;
    std::array<std::byte, cipher_unit> plain;
    const std::uint64_t end = block.offset + layout::header_size + block.cipher_size;
    if (block.cipher_size > cipher_unit) m_file->read(end - 2 * cipher_unit, before);
    decrypt_few(end - cipher_unit, before, plain);
    const auto padding = std::to_integer<std::size_t>(plain.back());
    bool is_good = padding >= 1 && padding <= cipher_unit;
    for (std::size_t i = 0; is_good && i < padding; ++i) is_good = plain[cipher_unit - 1 - i] == plain.back();
    if (!is_good) refuse_block(number);
    return padding;
  }

  /// Where the plain bytes of a block end.
  [[nodiscard]] std::uint64_t end_of(std::size_t number) const noexcept {
    return number + 1 < m_blocks.size() ? m_blocks[number + 1].plain_begin : m_size;
  }
  [[nodiscard]] std::uint64_t plain_size(std::size_t number) const noexcept {
    return end_of(number) - m_blocks[number].plain_begin;
  }

  /// The plain bytes of the blocks from `number` on that lie in the `size` bytes from `offset` on, if it begins there.
  [[nodiscard]] std::size_t whole_blocks(std::size_t number, std::uint64_t offset, std::size_t size) const noexcept {
    if (m_blocks[number].plain_begin != offset) return 0;
    std::size_t whole = 0;
    for (; number < m_blocks.size() && plain_size(number) <= size - whole; ++number)
      whole += static_cast<std::size_t>(plain_size(number));
    return whole;
  }

  /// The block that holds the plain byte at `offset`.
  [[nodiscard]] std::size_t block_at(std::uint64_t offset) const noexcept {
    const auto after =
        std::upper_bound(m_blocks.begin(), m_blocks.end(), offset,
                         [](std::uint64_t place, const sealed_block& block) { return place < block.plain_begin; });
    return static_cast<std::size_t>(after - m_blocks.begin()) - 1;
  }

  /// The plain bytes of a block; m_mutex is held.
  [[nodiscard]] const std::byte* kept(std::size_t number) const {
    if (number - m_kept_first >= m_kept_count) {  // also where it lies before them
      const bool follows = m_kept_count > 0 && number == m_kept_first + m_kept_count;
      const std::size_t most =
          std::min<std::size_t>({follows ? 2 * m_kept_count : 1, m_threads, m_blocks.size() - number});
      std::size_t count = 1;
      while (count < most && end_of(number + count) - m_blocks[number].plain_begin <= most_kept) ++count;
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
    const auto size = static_cast<std::size_t>(end_of(first + count - 1) - begin);
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
    const std::uint64_t plain = plain_size(number);
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
    const std::size_t step = m_file->data() != nullptr ? cryptopp::in_first_cache : slice;
    for (std::uint64_t at = 0; at < block.cipher_size; at += step) {
      const std::uint64_t left = block.cipher_size - at;
      const std::size_t size = left < step ? static_cast<std::size_t>(left) : step;
      const std::byte* const text = cipher_text(with, block.offset + layout::header_size + at, size);
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
    if (!is_authentic(with, block)) refuse_block(number);
    return used;
  }

  [[nodiscard]] const std::byte* cipher_text(worker& with, std::uint64_t offset, std::size_t size) const {
    if (const std::byte* const all = m_file->data()) return all + offset;
    m_file->read(offset, with.in.bytes().first(size));
    return with.in.bytes().data();
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

  [[noreturn]] void refuse_block(std::size_t number) const {
    // A seal that was checked shows that the key is right.
    if (m_is_sealed)
      throw integrity_error(errc::authentication, {.path = label(), .offset = m_blocks[number].offset},
                            concat({"block ", std::to_string(number + 1), " of ", std::to_string(m_blocks.size()),
                                    " is damaged: its bytes are not those that were written"}));
    throw integrity_error(errc::key, {.path = label(), .offset = m_blocks[number].offset},
                          concat({wrong_key, ", or block ", std::to_string(number + 1), " of ",
                                  std::to_string(m_blocks.size()), " is damaged"}));
  }

  static constexpr std::string_view wrong_key = "the key is not the one that the file was encrypted with";

  owner<const source> m_file;
  unsigned m_threads;
  secret_bytes m_key;
  secret_bytes m_mac_key;  // where GMACs of the blocks are known
  std::vector<sealed_block> m_blocks;
  std::uint64_t m_size = 0;
  std::vector<std::byte> m_structure;
  std::uint64_t m_seal_offset = 0;
  bool m_is_sealed = false;
  mutable std::mutex m_mutex;
  mutable aligned_memory m_kept;
  mutable std::size_t m_kept_first = 0;
  mutable std::size_t m_kept_count = 0;
};

}  // namespace ckpt

#endif
