#include <ckpt/cipher/decrypted_source.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include <ckpt/cipher/aes_cbc.hpp>
#include <ckpt/cipher/aes_gcm.hpp>
#include <ckpt/cipher/sm4_cbc.hpp>

#include "sealed_file.hpp"

using namespace ckpt;
using namespace support;

namespace {

/// A mapped file that somebody changes all the time: what is looked at through data() is not what was read.
class changing_source final : public source {
 public:
  explicit changing_source(std::span<const std::byte> bytes)
      : source("<memory>"), m_file(bytes), m_changed(bytes.size(), std::byte{0x5a}) {}
  [[nodiscard]] std::uint64_t size() const noexcept override { return m_file.size(); }
  [[nodiscard]] const std::byte* data() const noexcept override { return m_changed.data(); }
  void read(std::uint64_t offset, byte_span to) const override {
    m_file.read(offset, to);
    read_bytes += to.size();
  }

  mutable std::uint64_t read_bytes = 0;

 private:
  unmapped_source m_file;
  std::vector<std::byte> m_changed;
};

}  // namespace

TEST_CASE_TEMPLATE("decrypted_source: every size around the edge of a block, by one thread and by three", Cipher,
                   aes_gcm, aes_cbc, sm4_cbc) {
  const secret_key key = key_for<Cipher>();
  for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 31U, 32U, 33U, 63U, 64U, 65U, 95U, 96U, 97U, 1000U}) {
    const std::string plain = stream(size);
    for (const unsigned threads : {1U, 3U}) {
      const std::string file = sealed<Cipher>(plain, key, threads);
      const decrypted_source<Cipher> source = opened<Cipher>(file, &key, false, threads);
      CHECK(source.is_sealed());
      CHECK(source.size() == size);
      CHECK(decrypted(source) == plain);
    }
  }
}

TEST_CASE_TEMPLATE("decrypted_source: any part, in any order", Cipher, aes_gcm, aes_cbc, sm4_cbc) {
  const secret_key key = key_for<Cipher>();
  const std::string plain = stream(203);
  const std::string file = sealed<Cipher>(plain, key);
  const decrypted_source<Cipher> source = opened<Cipher>(file, &key);
  for (std::size_t begin = 0; begin <= plain.size(); begin += 7)
    for (std::size_t end = begin; end <= plain.size(); end += 13) {
      std::vector<std::byte> part(end - begin);
      source.read(begin, part);
      CHECK(text(part) == plain.substr(begin, end - begin));
    }
  std::vector<std::byte> past(2);
  CHECK(message_of<format_error>([&] { source.read(202, past); }) ==
        "<memory>: ends too early: 2 bytes needed, 1 left, at byte 202");
}

TEST_CASE_TEMPLATE("decrypted_source: several parts at once; blocks that none of them needs are not looked at", Cipher,
                   aes_gcm, aes_cbc, sm4_cbc) {
  const secret_key key = key_for<Cipher>();
  const std::string plain = stream(32 * 8 + 5);
  std::string file = sealed<Cipher>(plain, key);
  // Damage in the third block and the sixth: parts beside them are read all the same.
  const std::vector<std::size_t> offsets = block_offsets<Cipher>(file);
  file[offsets[3] - 1] ^= 1;
  file[offsets[6] - 1] ^= 1;
  const decrypted_source<Cipher> source = opened<Cipher>(file, &key, false, 2);
  std::vector<std::byte> a(10);
  std::vector<std::byte> b(70);
  std::vector<std::byte> c(30);
  const read_request parts[] = {{2, a}, {40, std::span(b).first(20)}, {97, std::span(b).subspan(20)}, {230, c}};
  std::uint64_t reported = 0;
  source.read_all(parts, [&](std::uint64_t done) { reported = done > reported ? done : reported; });
  CHECK(text(a) == plain.substr(2, 10));
  CHECK(text(b) == plain.substr(40, 20) + plain.substr(97, 50));
  CHECK(text(c) == plain.substr(230, 30));
  CHECK(reported <= 110);
  CHECK(message_of<integrity_error>([&] { source.read(64, std::span(a).first(1)); }) ==
        "<memory>: block 3 of 9 is damaged: its bytes are not those that were written, at byte " +
            std::to_string(offsets[2]));
}

TEST_CASE_TEMPLATE(
    "decrypted_source: what is authenticated is what is decrypted, though a mapped file changes meanwhile", Cipher,
    aes_gcm, aes_cbc, sm4_cbc) {
  const secret_key key = key_for<Cipher>();
  const std::string plain = stream(70000);
  const std::string file = sealed<Cipher, 32768>(plain, key);
  auto* const changing = new changing_source(bytes(file));
  const decrypted_source<Cipher> source(owner<const ckpt::source>(changing), {.key = &key, .threads = 1});
  changing->read_bytes = 0;
  CHECK((decrypted(source) == plain));
  // Each byte of cipher text once.
  const std::size_t blocks = block_offsets<Cipher>(file).size() - 2;
  const std::size_t seal = block_offsets<Cipher>(file)[blocks];
  CHECK(changing->read_bytes == seal - blocks * block_layout<Cipher>::header_size);
}

TEST_CASE_TEMPLATE("decrypted_source: blocks that are read in order are decrypted ahead, up to one for each thread",
                   Cipher, aes_gcm, aes_cbc, sm4_cbc) {
  const secret_key key = key_for<Cipher>();
  const std::string plain = stream(32 * 20);
  const std::string file = sealed<Cipher>(plain, key);
  const std::vector<std::size_t> offsets = block_offsets<Cipher>(file);
  // Of 3 threads; block after block; then one that does not follow.
  const std::vector<std::pair<std::size_t, std::size_t>> ends{{0, 1}, {1, 3}, {2, 3},   {3, 6},   {4, 6},
                                                              {5, 6}, {6, 9}, {14, 15}, {15, 17}, {18, 19}};
  auto* const watched = new unmapped_source(bytes(file));
  const decrypted_source<Cipher> source(owner<const ckpt::source>(watched), {.key = &key, .threads = 3});
  for (const auto& [number, end] : ends) {
    watched->read_end = 0;
    std::vector<std::byte> part(5);
    source.read(32 * number + 3, part);
    CHECK(text(part) == plain.substr(32 * number + 3, 5));
    INFO(number);
    if (watched->read_end > 0) CHECK(watched->read_end == offsets[end]);
    else CHECK((number == 2 || number == 4 || number == 5));
  }
}

TEST_CASE_TEMPLATE("decrypted_source: a block that is decrypted ahead and damaged is told when it is asked for", Cipher,
                   aes_gcm, aes_cbc, sm4_cbc) {
  const secret_key key = key_for<Cipher>();
  const std::string plain = stream(32 * 9);
  std::string file = sealed<Cipher>(plain, key);
  const std::vector<std::size_t> offsets = block_offsets<Cipher>(file);
  file[offsets[6] - 1] ^= 1;
  const decrypted_source<Cipher> source = opened<Cipher>(file, &key, false, 4);
  for (const std::size_t at : {0U, 16U, 32U, 48U, 64U, 80U, 96U, 112U, 128U, 144U, 192U, 208U}) {
    std::vector<std::byte> part(16);
    source.read(at, part);
    CHECK(text(part) == plain.substr(at, 16));
  }
  std::vector<std::byte> part(16);
  CHECK(message_of<integrity_error>([&] { source.read(160, part); }) ==
        "<memory>: block 6 of 9 is damaged: its bytes are not those that were written, at byte " +
            std::to_string(offsets[5]));
}
