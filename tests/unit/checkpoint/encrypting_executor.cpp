#include <ckpt/checkpoint/encrypting_executor.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <ckpt/crypto.hpp>

#include "../cipher/sealed_file.hpp"

using namespace ckpt;
using namespace support;

TEST_CASE_TEMPLATE(
    "encrypting_executor: whatever the number of threads and whatever the sink, the plain bytes are the plan's", Cipher,
    aes_gcm, aes_cbc, sm4_cbc) {
  const secret_key key = key_of(16);
  for (const std::size_t size : {0U, 1U, 31U, 32U, 33U, 500U, 2000U, 9000U})  // up to 282 blocks
    for (const unsigned threads : {1U, 2U, 7U}) {
      const std::string plain = stream(size);
      CHECK(read_back<Cipher>(sealed<Cipher>(plain, key, threads), key) == plain);
      plan plan;
      plan.add(bytes(plain));
      encrypting_executor<Cipher> run(plan, {.key = &key, .threads = threads, .label = "<test>"}, 32);
      std::vector<std::byte> file;
      memory_sink in_order(file);
      run.run(in_order, [](std::uint64_t) {});
      CHECK(file.size() == run.size());
      CHECK(read_back<Cipher>(support::text(file), key) == plain);
    }
}

TEST_CASE_TEMPLATE("encrypting_executor: a plan of many small segments, and of some that have to be gathered", Cipher,
                   aes_gcm, aes_cbc) {
  const std::vector<std::int16_t> grid(300, 0x6162);
  const tensor_view strided = tensor_view::strided(dtype::int16, {10, 15}, grid.data(), {1, 10});
  const gather from{&strided, 0};
  const std::string start = stream(5);
  plan plan;
  plan.add(bytes(start));
  std::string expected = start;
  for (int i = 0; i < 20; ++i) {
    plan.add(bytes("abc"));
    plan.add(segment(from, strided.size_bytes()));
    expected += "abc";
    for (int element = 0; element < 150; ++element) expected += "ba";
  }
  const secret_key key = key_of(16);
  encrypting_executor<Cipher> run(plan, {.key = &key, .threads = 2, .label = "<test>"}, 64);
  placing_memory to{std::vector<std::byte>(static_cast<std::size_t>(run.size()))};
  run.run(to, [](std::uint64_t) {});
  CHECK(read_back<Cipher>(support::text(to.bytes), key) == expected);
}

TEST_CASE_TEMPLATE("encrypting_executor: what is read from a source meanwhile, in any order and best in order", Cipher,
                   aes_gcm, aes_cbc, sm4_cbc) {
  const secret_key key = key_of(16);
  const std::string plain = stream(9000);
  const std::string other = sealed<Cipher>(plain, key);
  const unmapped_source any_order(bytes(plain));
  const decrypted_source<Cipher> in_order = opened<Cipher>(other, &key, false, 2);
  CHECK(!any_order.is_best_in_order());
  CHECK(in_order.is_best_in_order());
  for (const source* from : {static_cast<const source*>(&any_order), static_cast<const source*>(&in_order)}) {
    plan plan;
    const gather all{nullptr, 0, from};
    plan.add(segment(all, from->size()));
    CHECK(plan.is_best_in_order() == from->is_best_in_order());
    encrypting_executor<Cipher> run(plan, {.key = &key, .threads = 3, .label = "<test>"}, 64);
    placing_memory to{std::vector<std::byte>(static_cast<std::size_t>(run.size()))};
    run.run(to, [](std::uint64_t) {});
    CHECK(read_back<Cipher>(support::text(to.bytes), key) == plain);
    std::vector<std::byte> again;
    memory_sink sink(again);
    run.run(sink, [](std::uint64_t) {});
    CHECK((again == to.bytes));
  }
}

TEST_CASE("encrypting_executor: a sink that takes bytes in order is given no more at once than memory_lease has") {
  struct measuring_sink {
    void write(std::span<const std::byte> bytes) {
      largest = std::max<std::uint64_t>(largest, bytes.size());
      all += bytes.size();
    }
    std::uint64_t largest = 0;
    std::uint64_t all = 0;
  };
  const secret_key key = key_of(16);
  const aligned_memory block(largest_block);
  plan plan;
  for (int i = 0; i < 17; ++i) plan.add(block.bytes());
  encrypting_executor<aes_gcm> run(plan, {.key = &key, .threads = 16, .label = "<test>"}, largest_block);
  measuring_sink sink;
  run.run(sink, [](std::uint64_t) {});
  CHECK(sink.all == run.size());
  CHECK(sink.largest <= memory_lease::limit);
  CHECK(sink.largest > memory_lease::limit / 2);
}

TEST_CASE("encrypting_executor: every block has an iv of its own, and no two saves have the same") {
  const secret_key key = key_of(16);
  std::set<std::string> ivs;
  for (int i = 0; i < 10; ++i) {
    const std::string file = sealed<aes_gcm>(stream(320), key);
    const std::vector<std::size_t> offsets = block_offsets<aes_gcm>(file);
    for (std::size_t block = 0; block + 1 < offsets.size(); ++block)
      ivs.insert(file.substr(offsets[block] + block_layout<aes_gcm>::iv_begin, 12));
  }
  CHECK(ivs.size() == 10 * 11);
}

TEST_CASE_TEMPLATE(
    "encrypting_executor: a block is written in large pieces, which end at multiples of theirs in the file", Cipher,
    aes_gcm, aes_cbc) {
  struct recording_sink {
    void write(std::span<const std::byte> /*bytes*/) {}
    void write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
      ends.insert(offset + bytes.size());
      all += bytes.size();
    }
    std::set<std::uint64_t> ends;
    std::uint64_t all = 0;
  };
  constexpr std::uint64_t block = std::uint64_t{2} << 20;  // of the file
  constexpr std::uint64_t slice = std::uint64_t{Cipher::is_padded ? 256 : 1024} << 10;
  const secret_key key = key_of(16);
  const aligned_memory content(std::size_t{5} << 20);
  plan plan;
  plan.add(content.bytes());
  encrypting_executor<Cipher> run(plan, {.key = &key, .threads = 1, .label = "<test>"});
  recording_sink sink;
  run.run(sink, [](std::uint64_t) {});
  CHECK(sink.all == run.size());
  const std::uint64_t last = 2 * block + block_layout<Cipher>::block_size((5 << 20) - 2 * (block - 48));
  std::set<std::uint64_t> expected{last, run.size()};
  for (std::uint64_t end = slice; end < last; end += slice) expected.insert(end);
  if (Cipher::is_authenticated)  // the headers, when the tags are known
    for (const std::uint64_t begin : {0U, 1U, 2U}) expected.insert(begin * block + block_layout<Cipher>::header_size);
  CHECK(sink.ends == expected);
}

TEST_CASE("encrypting_executor: run twice, it writes the same bytes") {
  const secret_key key = key_of(16);
  const std::string plain = stream(100);
  plan plan;
  plan.add(bytes(plain));
  encrypting_executor<aes_gcm> run(plan, {.key = &key, .threads = 1, .label = "<test>"}, 32);
  std::string files[2];
  for (std::string& file : files) {
    placing_memory to{std::vector<std::byte>(static_cast<std::size_t>(run.size()))};
    run.run(to, [](std::uint64_t) {});
    file = support::text(to.bytes);
  }
  CHECK(files[0] == files[1]);
}
