#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <ckpt/checksum/crc32_cryptopp.hpp>
#include <ckpt/ckpt.hpp>
#include <ckpt/crypto.hpp>

#include "../unit/io/scratch.hpp"
#include "in_all_threads.hpp"

// What may be done by several threads at once. Shows races under -fsanitize=thread, and wrong results without.

namespace {

using scratch::directory;

constexpr std::size_t layers = 50;
constexpr std::size_t elements = 300;

std::string name_of(std::size_t layer) { return "layer." + std::to_string(layer) + ".weight"; }

/// All elements of a layer are `seed` and its number.
std::map<std::string, std::vector<float>> model(std::size_t seed) {
  std::map<std::string, std::vector<float>> made;
  for (std::size_t layer = 0; layer < layers; ++layer)
    made[name_of(layer)].assign(elements, static_cast<float>(1000 * seed + layer));
  return made;
}

template <class Format>
void save(std::size_t seed, const std::string& path) {
  ckpt::save<Format>(model(seed), path,
                     {.append = {{"seed", static_cast<std::int64_t>(seed)}, {"note", "text"}},
                      .align = 64,
                      .durability = ckpt::durability::none,
                      .permissions = 0600});
}

/// Whether the file is whole, and all of one save.
bool is_one_model(const ckpt::state_dict& loaded) {
  const auto seed = static_cast<std::size_t>(loaded["seed"].item<std::int64_t>());
  for (const auto& [name, value] : model(seed))
    if (loaded[name].to_vector<float>() != value) return false;
  return loaded.size() == layers + 2;
}

/// Everything that reads, in an order of the thread's own.
void read_all(const ckpt::state_dict& loaded, std::size_t seed, std::size_t thread, std::atomic<int>& wrong) {
  for (std::size_t i = 0; i < layers; ++i) {
    const std::size_t layer = (i * 7 + thread * 13) % layers;
    const auto expected = static_cast<float>(1000 * seed + layer);
    const auto value = loaded.find(name_of(layer));
    if (!value || !loaded.contains(name_of(layer)) || value->as<float>()[thread] != expected ||
        value->to_vector<float>() != std::vector<float>(elements, expected))
      ++wrong;
  }
  if (loaded["seed"].item<std::int64_t>() != static_cast<std::int64_t>(seed) || loaded["note"].text() != "text" ||
      loaded.find("none"))
    ++wrong;
  std::size_t bytes = 0;
  for (const auto& [name, value] : loaded) bytes += name.empty() ? 0 : static_cast<std::size_t>(value.size_bytes());
  if (bytes != layers * elements * sizeof(float) + 8 + 4) ++wrong;
  try {
    (void)loaded["note"].as<float>();
    ++wrong;
  } catch (const ckpt::mismatch_error&) {
  }
}

template <class Format>
void check_state_dict(ckpt::read way) {
  const directory here;
  const std::string path = here / ("a." + std::string(Format::suffix));
  save<Format>(3, path);
  const ckpt::state_dict loaded = ckpt::load(path, {.read = way});
  std::atomic<int> wrong{0};
  CHECK(failures_in_all([&](std::size_t thread) {
          for (int round = 0; round < 5; ++round) read_all(loaded, 3, thread, wrong);
        }) == 0);
  CHECK(wrong == 0);
}

template <class Format>
void check_reader() {
  const directory here;
  const std::string path = here / ("a." + std::string(Format::suffix));
  save<Format>(3, path);
  const ckpt::reader file(path);
  std::atomic<int> wrong{0};
  CHECK(failures_in_all([&](std::size_t thread) {
          std::vector<float> whole(elements);
          std::vector<float> part(2);
          for (std::size_t i = 0; i < 4 * layers; ++i) {
            const std::size_t layer = (i * 7 + thread * 13) % layers;
            const auto expected = static_cast<float>(3000 + layer);
            file.read_into<float>(name_of(layer), whole);
            file.read_into<float>(name_of(layer), part, {{5, 7}});
            if (whole != std::vector<float>(elements, expected) || part != std::vector<float>(2, expected)) ++wrong;
            if (file.index().at(name_of(layer)).size_bytes() != elements * sizeof(float)) ++wrong;
          }
        }) == 0);
  CHECK(wrong == 0);
}

const ckpt::secret_key& key() {
  static const ckpt::secret_key one = ckpt::secret_key::from_text("a key of 16 byte");
  return one;
}

/// As an encrypted save does, by three threads, in blocks so short that each has many of them to do.
template <class Cipher>
void save_encrypted(std::size_t seed, const std::string& path) {
  const auto made = model(seed);
  ckpt::entries entries(path, ckpt::duplicates::refuse, {});
  ckpt::collect(entries, made);
  const ckpt::append_values append{{"seed", static_cast<std::int64_t>(seed)}, {"note", "text"}};
  append.add_to(entries);
  const ckpt::plan plan = ckpt::mindspore::make_plan(entries, {});
  ckpt::encrypting_executor<Cipher> executor(plan, {.key = &key(), .threads = 3, .label = path}, 512);
  ckpt::atomic_file file(path, executor.size(), {.sync = ckpt::durability::none, .mode = 0600});
  executor.run(file, [](std::uint64_t) {});
  file.commit();
}

template <class Cipher>
ckpt::state_dict load_encrypted(ckpt::read way, const std::string& path) {
  return ckpt::load<Cipher>(path, {.read = way, .key = key(), .threads = 3});
}

/// Has room for so many bytes.
struct narrow_sink {
  std::uint64_t room;
  void write(std::span<const std::byte> bytes) {
    if (bytes.size() > room) throw std::runtime_error("full");
    room -= bytes.size();
  }
};

}  // namespace

TEST_CASE("threads: one state_dict is read by all") {
  SUBCASE("ckpt, mapped") { check_state_dict<ckpt::mindspore>(ckpt::read::map); }
  SUBCASE("ckpt, copied") { check_state_dict<ckpt::mindspore>(ckpt::read::copy); }
  SUBCASE("safetensors, mapped") { check_state_dict<ckpt::safetensors>(ckpt::read::map); }
  SUBCASE("safetensors, copied") { check_state_dict<ckpt::safetensors>(ckpt::read::copy); }
}

TEST_CASE("threads: one reader is read by all") {
  SUBCASE("ckpt") { check_reader<ckpt::mindspore>(); }
  SUBCASE("safetensors") { check_reader<ckpt::safetensors>(); }
}

TEST_CASE("threads: one model is saved by all, each to a file of its own") {
  const directory here;
  const auto shared = model(5);
  const ckpt::state_dict loaded = ckpt::load(ckpt::save_bytes(shared));
  CHECK(failures_in_all([&](std::size_t thread) {
          const std::string path = here / std::to_string(thread);
          ckpt::save(shared, path, {.permissions = 0600});
          ckpt::save<ckpt::safetensors>(loaded, path, {.permissions = 0600});
        }) == 0);
  CHECK(here.names().size() == 2 * thread_count);
  for (std::size_t thread = 0; thread < thread_count; ++thread)
    for (const char* const suffix : {".ckpt", ".safetensors"}) {
      const ckpt::state_dict again = ckpt::load(here / std::to_string(thread) + suffix);
      CHECK(again.size() == layers);
      CHECK(again[name_of(7)].to_vector<float>() == shared.at(name_of(7)));
    }
}

TEST_CASE("threads: all save to one file while it is loaded; it is always one of theirs, whole") {
  const directory here;
  const std::string path = here / "net.ckpt";
  save<ckpt::mindspore>(0, path);
  std::atomic<int> wrong{0};
  CHECK(failures_in_all([&](std::size_t thread) {
          for (std::size_t round = 0; round < 10; ++round) {
            save<ckpt::mindspore>(10 * thread + round, path);
            if (!is_one_model(ckpt::load(path))) ++wrong;
          }
        }) == 0);
  CHECK(wrong == 0);
  CHECK(is_one_model(ckpt::load(path)));
  CHECK(here.names().size() == 1);
}

TEST_CASE_TEMPLATE("threads: encrypted saves and loads by three threads each, several at once", Cipher, ckpt::aes_gcm,
                   ckpt::aes_cbc, ckpt::sm4_cbc) {
  const directory here;
  std::atomic<int> wrong{0};
  CHECK(failures_in_all([&](std::size_t thread) {
          const std::string path = here / (std::to_string(thread) + ".ckpt");
          for (std::size_t round = 0; round < 3; ++round) {
            const std::size_t seed = 10 * thread + round;
            save_encrypted<Cipher>(seed, path);
            if (!is_one_model(load_encrypted<Cipher>(ckpt::read::map, path))) ++wrong;
            if (!is_one_model(load_encrypted<Cipher>(ckpt::read::copy, path))) ++wrong;
            const ckpt::state_dict one = ckpt::load<Cipher>(
                path, {.choose = [](std::string_view name) { return name == name_of(7); }, .key = key(), .threads = 3});
            if (one.size() != 1 || one[name_of(7)].template to_vector<float>() != model(seed).at(name_of(7))) ++wrong;
          }
        }) == 0);
  CHECK(wrong == 0);
  CHECK(here.names().size() == thread_count);
}

TEST_CASE("threads: all save to one encrypted file while it is loaded; it is always one of theirs, whole") {
  const directory here;
  const std::string path = here / "net.ckpt";
  save_encrypted<ckpt::aes_gcm>(0, path);
  std::atomic<int> wrong{0};
  CHECK(failures_in_all([&](std::size_t thread) {
          for (std::size_t round = 0; round < 3; ++round) {
            save_encrypted<ckpt::aes_gcm>(10 * thread + round, path);
            if (!is_one_model(load_encrypted<ckpt::aes_gcm>(ckpt::read::map, path))) ++wrong;
          }
        }) == 0);
  CHECK(wrong == 0);
  CHECK(here.names().size() == 1);
}

TEST_CASE("threads: one model is saved encrypted by all, with one key") {
  const directory here;
  const auto shared = model(5);
  CHECK(failures_in_all([&](std::size_t thread) {
          ckpt::save<ckpt::aes_gcm>(shared, here / std::to_string(thread), {.key = key(), .threads = 3});
        }) == 0);
  for (std::size_t thread = 0; thread < thread_count; ++thread) {
    const ckpt::state_dict again = ckpt::load<ckpt::aes_gcm>(here / std::to_string(thread) + ".ckpt", {.key = key()});
    CHECK(again[name_of(7)].to_vector<float>() == shared.at(name_of(7)));
  }
}

TEST_CASE_TEMPLATE("threads: one reader of an encrypted file is read by all", Cipher, ckpt::aes_gcm, ckpt::aes_cbc) {
  const directory here;
  const std::string path = here / "a.ckpt";
  save_encrypted<Cipher>(3, path);
  const ckpt::basic_reader<Cipher> file(path, {.key = key(), .threads = 3});
  std::atomic<int> wrong{0};
  CHECK(failures_in_all([&](std::size_t thread) {
          std::vector<float> whole(elements);
          std::vector<float> part(2);
          for (std::size_t i = 0; i < layers; ++i) {
            const std::size_t layer = (i * 7 + thread * 13) % layers;
            const auto expected = static_cast<float>(3000 + layer);
            file.template read_into<float>(name_of(layer), whole);
            file.template read_into<float>(name_of(layer), part, {{5, 7}});
            if (whole != std::vector<float>(elements, expected) || part != std::vector<float>(2, expected)) ++wrong;
          }
        }) == 0);
  CHECK(wrong == 0);
}

TEST_CASE_TEMPLATE("threads: one large model is saved with a checksum by all, each with a second thread", Format,
                   ckpt::mindspore, ckpt::safetensors) {
  const directory here;
  std::vector<float> content(std::size_t{9} << 18);
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<float>(i);
  const std::map<std::string, ckpt::tensor_view> net{
      {"even", ckpt::tensor_view(std::span<const float>(content), {9 << 18})},
      {"strided", ckpt::tensor_view::strided(ckpt::dtype::float32, {512, 512}, content.data(), {1, 512})}};
  const ckpt::save_options options{.durability = ckpt::durability::none, .permissions = 0600, .threads = 2};
  std::vector<std::byte> wanted;
  ckpt::memory_sink to(wanted);
  const auto sum = ckpt::save<Format, ckpt::crc32_cryptopp>(net, to, {.threads = 1}).checksum;
  std::atomic<int> wrong{0};
  CHECK(failures_in_all([&](std::size_t thread) {
          try {
            const std::uint64_t room = thread * (wanted.size() / thread_count);
            ckpt::save<Format, ckpt::crc32_cryptopp>(net, narrow_sink{room}, options);
            ++wrong;
          } catch (const std::runtime_error&) {
          }
          const std::string path = here / std::to_string(thread);
          if (ckpt::save<Format, ckpt::crc32_cryptopp>(net, path, options).checksum != sum) ++wrong;
        }) == 0);
  CHECK(wrong == 0);
  CHECK((ckpt::save_bytes<Format, ckpt::crc32_cryptopp>(net, options) == wanted));
}
