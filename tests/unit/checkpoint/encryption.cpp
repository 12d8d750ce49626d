#include <ckpt/checkpoint/encryption.hpp>

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <ckpt/crypto.hpp>

#include "../io/scratch.hpp"
#include "../support.hpp"

using namespace ckpt;
using namespace support;

namespace {

using network = std::map<std::string, tensor>;

network small() {
  network net;
  net.emplace("bias", tensor({3}, {1.5F, -2.0F, 0.25F}));
  net.emplace("steps", tensor({}, {std::int64_t{7}}));
  net.emplace("weight", tensor(dtype::float32, {50, 20}));
  return net;
}

// What a file that another cipher than ours encrypted looks like: every byte has a bit turned.
struct turned {
  static constexpr std::string_view name = "TURNED";
  static constexpr std::uint32_t magic = 0x12345678;
  static bool takes(std::size_t size) { return size == 1; }
  static constexpr std::string_view key_sizes = "1 byte";
  static constexpr std::size_t derived_key_size = 1;
  static constexpr bool is_authenticated = false;
  static constexpr bool is_padded = false;

  struct encryptor {
    static constexpr std::size_t lanes = 2;
    explicit encryptor(std::span<const std::byte> key) : m_key(key.front()) {}
    void begin(std::size_t, std::span<const std::byte, iv_size>) {}
    void process(std::span<const cipher_lane> blocks, std::size_t size) {
      for (const cipher_lane& each : blocks)
        for (std::size_t i = 0; i < size; ++i) each.out[i] = each.in[i] ^ m_key;
    }
    std::byte m_key;
  };
  struct decryptor {
    explicit decryptor(std::span<const std::byte> key) : m_key(key.front()) {}
    void begin(std::span<const std::byte, iv_size>) {}
    void process(const std::byte* in, std::byte* out, std::size_t size) {
      for (std::size_t i = 0; i < size; ++i) out[i] = in[i] ^ m_key;
    }
    std::byte m_key;
  };
};
static_assert(cipher_policy<turned>);

template <class Cipher>
secret_key key_for(char first = 'k') {
  return secret_key::from_text(std::string(Cipher::derived_key_size, first));
}

}  // namespace

TEST_CASE_TEMPLATE("encryption: saved, loaded in each way, inspected and read", Cipher, aes_gcm, aes_cbc, sm4_cbc,
                   turned) {
  const scratch::directory folder;
  const std::string path = folder / "net.ckpt";
  const secret_key key = key_for<Cipher>();
  const save_report report =
      save<Cipher>(small(), path, {.append = {{"note", "día"}}, .durability = durability::none, .key = key});
  CHECK(report.is_sealed);
  CHECK(report.bytes == file_source(path).size());

  for (const load_options& how : {load_options{.key = key}, load_options{.read = read::copy, .key = key, .threads = 2},
                                  load_options{.choose = [](std::string_view) { return true; }, .key = key}}) {
    const state_dict loaded = load<Cipher>(path, how);
    CHECK(loaded.size() == 4);
    CHECK(loaded.is_sealed());
    CHECK(loaded.cipher() == Cipher::name);
    CHECK(loaded.format() == "ckpt");
    CHECK(loaded["bias"].template to_vector<float>() == std::vector<float>{1.5F, -2.0F, 0.25F});
    CHECK(loaded["steps"].template item<std::int64_t>() == 7);
    CHECK(loaded["note"].text() == "día");
  }
  const state_dict one =
      load<Cipher>(path, {.choose = [](std::string_view name) { return name == "bias"; }, .key = key});
  CHECK(one.size() == 1);
  CHECK(one["bias"].template as<float>()[1] == -2.0F);

  std::vector<float> bias(3);
  load_into<Cipher>(path, "bias", bias, {}, {.key = key});
  CHECK(bias == std::vector<float>{1.5F, -2.0F, 0.25F});

  std::map<std::string, std::vector<float>> network{{"bias", std::vector<float>(3)}};
  const load_report filled = load_into<Cipher>(path, network, {.key = key});
  CHECK(filled.filled == 1);
  CHECK(filled.unexpected.size() == 3);
  CHECK(network.at("bias") == bias);

  const file_index index = inspect<Cipher>(path, {.key = key});
  CHECK(index.size() == 4);
  CHECK(index.cipher() == Cipher::name);
  CHECK(index.is_sealed());
  const basic_reader<Cipher> reader(path, {.key = key});
  std::vector<float> part(2);
  reader.read_into("bias", std::span(part), {{1, 3}});
  CHECK(part == std::vector<float>{-2.0F, 0.25F});
}

TEST_CASE("encryption: to memory and to any sink, the plain bytes are those of the plain save") {
  const secret_key key = key_for<aes_gcm>();
  const std::vector<std::byte> plain = save_bytes(small());
  const std::vector<std::byte> file = save_bytes<aes_gcm>(small(), {.key = key});
  const state_dict loaded = load<aes_gcm>(file, {.key = key});
  CHECK(save_bytes(loaded) == plain);
  std::vector<std::byte> again;
  memory_sink to(again);
  const save_report report = save<aes_gcm>(small(), to, {.key = key});
  CHECK(report.bytes == again.size());
  CHECK(report.is_sealed);
  CHECK(again.size() == file.size());
  CHECK(again != file);  // other ivs
  CHECK(save_bytes(load<aes_gcm>(again, {.key = key})) == plain);
}

TEST_CASE_TEMPLATE("encryption: of chosen tensors, only the blocks that hold them are decrypted", Cipher, aes_gcm,
                   aes_cbc) {
  const scratch::directory folder;
  const std::string path = folder / "net.ckpt";
  const secret_key key = key_for<Cipher>();
  network net;  // a block and a half each
  for (const char* const name : {"a", "b", "c"}) net.emplace(name, tensor(dtype::uint8, {3 << 20}));
  save<Cipher>(net, path, {.durability = durability::none, .permissions = 0600, .key = key});
  // Every block is damaged but the fourth, which has the first half of "c", and the fifth, which has the rest.
  std::string file = scratch::get(path);
  constexpr std::size_t block = 2 << 20;
  for (const std::size_t damaged : {0U, 1U, 2U}) file[damaged * block + 1000] ^= 1;
  scratch::put(path, file);
  const auto c = [](std::string_view name) { return name == "c"; };
  const state_dict chosen = load<Cipher>(path, {.choose = c, .key = key});
  CHECK(chosen["c"].size_bytes() == 3 << 20);
  CHECK(inspect<Cipher>(path, {.key = key}).size() == 3);
  const basic_reader<Cipher> reader(path, {.key = key});
  std::vector<std::uint8_t> part(3);
  reader.read_into("c", std::span(part), {{1000, 1003}});
  CHECK(part == std::vector<std::uint8_t>(3));
  CHECK(message_of<integrity_error>([&] { reader.read_into("a", std::span(part), {{0, 3}}); }) ==
        path + ": block 1 of 5 is damaged: its bytes are not those that were written, at byte 0");
  CHECK(error_of<integrity_error>([&] { static_cast<void>(load<Cipher>(path, {.key = key})); }).code() ==
        errc::authentication);
}

TEST_CASE("encryption: a file whose structure would be large has none, and is read all the same") {
  const secret_key key = key_for<aes_gcm>();
  network net;
  for (int i = 0; i < 3000; ++i) net.emplace("a tensor of number " + std::to_string(i), tensor({}, {i}));
  const std::vector<std::byte> file = save_bytes<aes_gcm>(net, {.key = key});
  const decrypted_source<aes_gcm> source(owner<const ckpt::source>(new memory_source(file)), {.key = &key});
  CHECK(source.structure().empty());
  CHECK(inspect<aes_gcm>(file, {.key = key}).size() == 3000);
  CHECK(save_bytes(load<aes_gcm>(file, {.read = read::copy, .key = key})) == save_bytes(net));
}

TEST_CASE("encryption: nothing to save, and empty tensors, are not lost") {
  const secret_key key = key_for<aes_cbc>();
  CHECK(load<aes_cbc>(save_bytes<aes_cbc>(network(), {.key = key}), {.key = key}).empty());
  network net;
  net.emplace("none", tensor(dtype::float32, {0, 3}));
  const state_dict loaded = load<aes_cbc>(save_bytes<aes_cbc>(net, {.key = key}), {.key = key});
  CHECK(loaded["none"].shape()[1] == 3);
}

TEST_CASE("encryption: what is wrong with a key is said before the file is touched") {
  const scratch::directory folder;
  const std::string path = folder / "net.ckpt";
  const secret_key shorter = secret_key::from_text("short");
  CHECK(message_of<usage_error>([&] { save<aes_gcm>(small(), path); }) ==
        path + ": AES-GCM needs a key: give one as {.key = key}");
  CHECK(message_of<usage_error>([&] { save<aes_gcm>(small(), path, {.key = shorter}); }) ==
        path + ": the key has 5 bytes; AES-GCM takes 16, 24 or 32 bytes");
  CHECK(message_of<usage_error>([&] { save<sm4_cbc>(small(), path, {.key = shorter}); }) ==
        path + ": the key has 5 bytes; SM4-CBC takes 16 bytes");
  secret_key given = secret_key::from_text("0123456789abcdef");
  const secret_key kept = std::move(given);
  // NOLINTNEXTLINE(bugprone-use-after-move): that is what is refused
  CHECK(message_of<usage_error>([&] { save<aes_gcm>(small(), path, {.key = given}); }) ==
        path + ": the key is empty: it was made of nothing, or moved from");
  CHECK(message_of<usage_error>([&] { save(small(), path, {.key = shorter}); }) ==
        path +
            ": a key is given, and no cipher: name one, as in ckpt::save<ckpt::aes_gcm> or ckpt::load<ckpt::aes_gcm>");
  CHECK(folder.names().empty());
  save(small(), path);
  CHECK(message_of<usage_error>([&] { static_cast<void>(load(path, {.key = shorter})); }) ==
        path +
            ": a key is given, and no cipher: name one, as in ckpt::save<ckpt::aes_gcm> or ckpt::load<ckpt::aes_gcm>");
  const secret_key key = key_for<aes_gcm>();
  CHECK(message_of<format_error>([&] { static_cast<void>(load<aes_gcm>(path, {.key = key})); }) ==
        path + ": the file is not encrypted: load it without a cipher and a key");
  save<aes_gcm>(small(), path, {.key = key});
  CHECK(message_of<format_error>([&] { static_cast<void>(load(path)); }) ==
        path + ": the file is encrypted with AES-GCM: load it with ckpt::aes_gcm of <ckpt/crypto.hpp> and its key");
}

TEST_CASE("encryption: bytes that are no checkpoint, decrypted") {
  const secret_key key = key_for<aes_gcm>();
  plan plan;
  const std::string text = "\x0a\x7f";
  plan.add(bytes(text));
  encrypting_executor<aes_gcm> run(plan, {.key = &key, .threads = 1, .label = "<test>"});
  std::vector<std::byte> file;
  memory_sink to(file);
  run.run(to, [](std::uint64_t) {});
  CHECK(
      message_of<format_error>([&] { static_cast<void>(load<aes_gcm>(file, {.key = key})); }) ==
      "<memory>: decrypted, as its bytes are counted here: field 1 says it has 127 bytes where 0 are left: it was cut "
      "short or damaged, at byte 0");
}

TEST_CASE("encryption: progress goes up to the end, and what it throws ends the save with the old file whole") {
  const scratch::directory folder;
  const std::string path = folder / "net.ckpt";
  scratch::put(path, "old");
  const secret_key key = key_for<aes_gcm>();
  network net;
  net.emplace("large", tensor(dtype::uint8, {40 << 20}));
  std::vector<std::uint64_t> done;
  std::uint64_t total = 0;
  const auto note = [&](progress p) {
    done.push_back(p.done);
    total = p.total;
  };
  const save_report report = save<aes_gcm>(net, folder / "other.ckpt", {.progress = note, .key = key});
  CHECK(total == report.bytes);
  CHECK(done.front() == 0);
  CHECK(done.back() == total);
  CHECK(done.size() >= 5);
  CHECK(std::is_sorted(done.begin(), done.end()));
  done.clear();
  const state_dict loaded = load<aes_gcm>(folder / "other.ckpt", {.progress = note, .key = key});
  CHECK(done.front() == 0);
  CHECK(done.back() == total);
  const auto stop = [](progress p) {
    if (p.done > 0) throw std::runtime_error("stop");
  };
  CHECK(message_of<std::runtime_error>([&] { save<aes_gcm>(net, path, {.progress = stop, .key = key}); }) == "stop");
  CHECK(folder.names() == std::vector<std::string>{"net.ckpt", "other.ckpt"});
  CHECK(file_source(path).size() == 3);
}
