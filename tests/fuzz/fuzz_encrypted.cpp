// Encrypted files, with a key that is known. Whatever the bytes: a ckpt::error, or a state_dict. And whatever is taken
// as sealed is, byte for byte, one of the files that were sealed here. With CKPT_SEEDS=FOLDER it writes those, and the
// same without their seals, and ends.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <ckpt/crypto.hpp>

#include "check_file.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

/// In place of the system's: the ivs are the same in each run, and no two alike.
extern "C" int getentropy(void* to, std::size_t size) {
  static std::minstd_rand random(1);
  for (std::size_t i = 0; i < size; ++i)
    static_cast<unsigned char*>(to)[i] = static_cast<unsigned char>(random() >> 8U);
  return 0;
}

namespace {

using bytes = std::vector<std::byte>;

/// Another one when anything changes the files below: the corpus of an earlier run holds those of that time, which the
/// key would vouch for.
const ckpt::secret_key& key() {
  static const ckpt::secret_key one = ckpt::secret_key::from_text("key of version 1");
  return one;
}

struct placing_memory {
  bytes to;
  void write(std::span<const std::byte>) { std::abort(); }
  void write_at(std::uint64_t offset, std::span<const std::byte> from) {
    fuzz::require(offset <= to.size() && from.size() <= to.size() - offset, "nothing is written past the end");
    std::memcpy(to.data() + offset, from.data(), from.size());
  }
};

using network = std::map<std::string, std::vector<std::uint8_t>>;

template <class Cipher, std::size_t BlockSize>
bytes sealed(const network& net) {
  ckpt::entries entries("<fuzz>", ckpt::duplicates::refuse, {});
  ckpt::collect(entries, net);
  const ckpt::plan plan = ckpt::mindspore::make_plan(entries, {});
  ckpt::encrypting_executor<Cipher> executor(plan, {.key = &key(), .threads = 1, .label = "<fuzz>"}, BlockSize);
  placing_memory memory{bytes(static_cast<std::size_t>(executor.size()))};
  executor.run(memory, [](std::uint64_t) {});
  return memory.to;
}

const network& one() {
  static const network made{{"a", {1, 2, 3}}};
  return made;
}

const network& many() {
  static const network all = [] {
    network made;
    for (unsigned char i = 0; i < 5; ++i)
      made["layer" + std::to_string(i)].assign(std::size_t{7} * (i + 1U), static_cast<std::uint8_t>('a' + i));
    return made;
  }();
  return all;
}

template <class Cipher>
void add_sealed(std::vector<bytes>& all) {
  all.push_back(sealed<Cipher, 64>({}));
  all.push_back(sealed<Cipher, 64>(one()));
  all.push_back(sealed<Cipher, 32>(many()));
  all.push_back(sealed<Cipher, 64>(many()));
  all.push_back(sealed<Cipher, 4096>(many()));
}

const std::vector<bytes>& all_sealed() {
  static const std::vector<bytes> all = [] {
    std::vector<bytes> made;
    add_sealed<ckpt::aes_gcm>(made);
    add_sealed<ckpt::aes_cbc>(made);
    add_sealed<ckpt::sm4_cbc>(made);
    return made;
  }();
  return all;
}

std::uint32_t number_at(std::span<const std::byte> from, std::size_t offset) {
  std::uint32_t number = 0;
  if (offset + sizeof number <= from.size()) std::memcpy(&number, from.data() + offset, sizeof number);
  return number;
}

/// A file in blocks, as far as their sizes can be followed; what is left is the last of them.
std::vector<bytes> split(std::span<const std::byte> file) {
  std::vector<bytes> blocks;
  while (!file.empty()) {
    const bool is_gcm = number_at(file, 0) == ckpt::aes_gcm::magic;
    const std::size_t size_begin = is_gcm ? 20 : 4;
    const std::size_t wanted = size_begin + 4 + std::size_t{number_at(file, size_begin)};
    const std::size_t size = wanted < file.size() ? wanted : file.size();
    blocks.emplace_back(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
    file = file.subspan(size);
  }
  return blocks;
}

bytes join(const std::vector<bytes>& blocks) {
  bytes file;
  for (const bytes& block : blocks) file.insert(file.end(), block.begin(), block.end());
  return file;
}

void write_seeds(const std::string& folder) {
  int number = 0;
  const auto write = [&](const bytes& file) {
    std::ofstream to(folder + "/" + std::to_string(number++), std::ios::binary);
    to.write(reinterpret_cast<const char*>(file.data()), static_cast<std::streamsize>(file.size()));
    fuzz::require(static_cast<bool>(to.flush()), "a seed can be written");
  };
  for (const bytes& file : all_sealed()) {
    write(file);
    std::vector<bytes> blocks = split(file);
    blocks.pop_back();
    if (!blocks.empty()) write(join(blocks));
  }
}

template <class Cipher>
std::optional<ckpt::state_dict> load(std::span<const std::byte> file, bool allow_unsealed, ckpt::read way) {
  try {
    return ckpt::load<Cipher>(file, {.read = way, .key = key(), .threads = 1, .allow_unsealed = allow_unsealed});
  } catch (const ckpt::error& refused) {
    fuzz::require(*refused.what() != '\0', "an error says something");
    return std::nullopt;
  }
}

/// The same of a file that is not mapped, as far as its plain bytes: a few at a time, decrypted ahead.
template <class Cipher>
std::optional<bytes> plain_bytes(std::span<const std::byte> file, bool allow_unsealed) {
  try {
    const ckpt::decrypted_source<Cipher> from(ckpt::owner<const ckpt::source>(new support::unmapped_source(file)),
                                              {.key = &key(), .threads = 2, .allow_unsealed = allow_unsealed});
    bytes plain(static_cast<std::size_t>(from.size()));
    constexpr std::size_t few = 24;
    for (std::size_t at = 0; at < plain.size(); at += few)
      from.read(at, std::span(plain).subspan(at, std::min(few, plain.size() - at)));
    return plain;
  } catch (const ckpt::error&) {
    return std::nullopt;
  }
}

/// What is chosen of a sealed file is what was sealed, though the blocks of others, which nobody reads, may be damaged.
/// Returns whether anything could be chosen.
template <class Cipher>
bool check_choice(std::span<const std::byte> file, ckpt::read way) {
  const auto wanted = [](std::string_view name) { return name == "a" || name == "layer1" || name == "layer3"; };
  try {
    const ckpt::state_dict chosen =
        ckpt::load<Cipher>(file, {.read = way, .choose = wanted, .key = key(), .threads = 1});
    for (const auto& [name, value] : chosen) {
      const network& from = name == "a" ? one() : many();
      fuzz::require(wanted(name), "nothing else is loaded than what is chosen");
      fuzz::require(std::ranges::equal(value.bytes(), std::as_bytes(std::span(from.find(std::string(name))->second))),
                    "what is chosen is what was sealed");
    }
    return true;
  } catch (const ckpt::error& refused) {
    fuzz::require(*refused.what() != '\0', "an error says something");
    return false;
  }
}

template <class Cipher>
void check(std::span<const std::byte> file) {
  const bool viewed = check_choice<Cipher>(file, ckpt::read::map);
  const bool read = check_choice<Cipher>(file, ckpt::read::copy);
  for (const bool allow_unsealed : {false, true}) {
    const std::optional<ckpt::state_dict> loaded = load<Cipher>(file, allow_unsealed, ckpt::read::map);
    const std::optional<ckpt::state_dict> copied = load<Cipher>(file, allow_unsealed, ckpt::read::copy);
    const std::optional<bytes> plain = plain_bytes<Cipher>(file, allow_unsealed);
    fuzz::require(!loaded || plain, "what can be loaded can be decrypted");
    fuzz::require(!loaded || copied, "what can be loaded whole can be copied");
    if (loaded) {
      fuzz::require_same(*loaded, *copied);
      for (const auto& [name, value] : *loaded) fuzz::touch(value);
    }
    if (allow_unsealed) return;
    const auto is_this = [&](const bytes& one) { return std::equal(one.begin(), one.end(), file.begin(), file.end()); };
    const bool is_one = std::any_of(all_sealed().begin(), all_sealed().end(), is_this);
    fuzz::require(is_one == loaded.has_value() && is_one == copied.has_value() && is_one == plain.has_value(),
                  "what is sealed was sealed here, and all of that can be loaded");
    fuzz::require(!is_one || (viewed && read), "what can be loaded can be chosen from");
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* /*count*/, char*** /*values*/) {
  if (const char* const folder = std::getenv("CKPT_SEEDS")) {
    write_seeds(folder);
    std::exit(0);
  }
  return 0;
}

/// Blocks dropped, doubled, exchanged, taken from any of the sealed files, and changed.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  std::minstd_rand random(seed);
  std::vector<bytes> blocks = split(std::as_bytes(std::span(data, size)));
  const auto chance = random() % 6;
  if (blocks.empty() || chance == 0) return LLVMFuzzerMutate(data, size, max_size);
  const std::size_t chosen = random() % blocks.size();
  const std::size_t place = random() % (blocks.size() + 1);
  if (chance == 1) {
    blocks.erase(blocks.begin() + static_cast<std::ptrdiff_t>(chosen));
  } else if (chance == 2) {
    blocks.insert(blocks.begin() + static_cast<std::ptrdiff_t>(place), bytes(blocks[chosen]));
  } else if (chance == 3) {
    std::swap(blocks[chosen], blocks[random() % blocks.size()]);
  } else if (chance == 4) {
    const std::vector<bytes> others = split(all_sealed()[random() % all_sealed().size()]);
    blocks.insert(blocks.begin() + static_cast<std::ptrdiff_t>(place), others[random() % others.size()]);
  } else {
    bytes& block = blocks[chosen];
    const std::size_t used = block.size();
    block.resize(used + 64);
    block.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(block.data()), used, block.size()));
  }
  const bytes result = join(blocks);
  if (result.empty() || result.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::memcpy(data, result.data(), result.size());
  return result.size();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> file = std::as_bytes(std::span(data, size));
  switch (number_at(file, 0)) {
    case ckpt::aes_cbc::magic: check<ckpt::aes_cbc>(file); break;
    case ckpt::sm4_cbc::magic: check<ckpt::sm4_cbc>(file); break;
    default: check<ckpt::aes_gcm>(file);
  }
  return 0;
}
