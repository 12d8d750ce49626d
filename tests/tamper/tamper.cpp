// Small sealed files of several blocks, changed in every way that this program can think of: each has to be refused.
// Prints how many were tried.
#include <ckpt/crypto.hpp>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ckpt/checkpoint/encrypting_executor.hpp>
#include <ckpt/cipher/decrypted_source.hpp>

namespace {

constexpr std::size_t block_size = 32;  // plain bytes, so that a short file has several

struct memory {
  std::string bytes;
  void write(std::span<const std::byte> from) { bytes.append(reinterpret_cast<const char*>(from.data()), from.size()); }
};

template <class Cipher>
std::string sealed(const std::string& plain, const ckpt::secret_key& key) {
  ckpt::plan plan;
  plan.add(std::as_bytes(std::span(plain)));
  ckpt::encrypting_executor<Cipher> run(plan, {.key = &key, .threads = 1, .label = "<test>"}, block_size);
  memory to;
  run.run(to, [](std::uint64_t) {});
  return to.bytes;
}

/// Whether the file is taken, and with it everything it says.
template <class Cipher>
bool is_taken(std::string_view file, const ckpt::secret_key& key) {
  try {
    const ckpt::decrypted_source<Cipher> source(
        ckpt::owner<const ckpt::source>(new ckpt::memory_source(std::as_bytes(std::span(file.data(), file.size())))),
        {.key = &key, .threads = 1});
    std::vector<std::byte> plain(static_cast<std::size_t>(source.size()));
    const ckpt::read_request whole{0, plain};
    source.read_all({&whole, 1}, [](std::uint64_t) {});
    return true;
  } catch (const ckpt::error&) {
    return false;
  }
}

class trial {
 public:
  void require_refused(bool taken, const std::string& what) {
    ++m_tried;
    if (!taken) return;
    ++m_taken;
    std::printf("FAILED: taken: %s\n", what.c_str());
  }
  [[nodiscard]] int finish() const {
    std::printf("%zu changed files tried, %zu taken\n", m_tried, m_taken);
    return m_taken == 0 ? 0 : 1;
  }

 private:
  std::size_t m_tried = 0;
  std::size_t m_taken = 0;
};

template <class Cipher>
std::vector<std::string> blocks_of(const std::string& file) {
  std::vector<std::string> blocks;
  for (std::size_t at = 0; at < file.size(); at += blocks.back().size()) {
    constexpr std::size_t header = ckpt::block_layout<Cipher>::header_size;
    std::uint32_t size = 0;
    std::memcpy(&size, file.data() + at + header - 4, sizeof size);
    blocks.push_back(file.substr(at, header + size));
  }
  return blocks;
}

std::string joined(const std::vector<std::string>& blocks) {
  std::string file;
  for (const std::string& block : blocks) file += block;
  return file;
}

template <class Cipher>
void tamper(trial& tried) {
  const ckpt::secret_key key = ckpt::secret_key::from_text("0123456789abcdef");
  std::string plain = "\x0a\x7f\x0a\x03";
  while (plain.size() < 4 * block_size + 7) plain += static_cast<char>('a' + plain.size() % 26);
  const std::string file = sealed<Cipher>(plain, key);
  const std::string other = sealed<Cipher>(plain, key);  // the same, but for its ivs
  const std::vector<std::string> blocks = blocks_of<Cipher>(file);
  const std::vector<std::string> others = blocks_of<Cipher>(other);
  const std::string name(Cipher::name);
  const auto refused = [&](const std::string& bytes, const std::string& what) {
    if (bytes != file) tried.require_refused(is_taken<Cipher>(bytes, key), name + ": " + what);
  };
  if (!is_taken<Cipher>(file, key) || !is_taken<Cipher>(other, key))
    tried.require_refused(true, name + ": not read as it was written");

  for (std::size_t bit = 0; bit < 8 * file.size(); ++bit) {
    std::string bad = file;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    refused(bad, "bit " + std::to_string(bit) + " flipped");
  }
  for (std::size_t size = 0; size < file.size(); ++size)
    refused(file.substr(0, size), "cut to " + std::to_string(size));
  for (std::size_t size = 1; size < file.size(); ++size)
    refused(file.substr(size), "without the first " + std::to_string(size));
  for (int byte = 0; byte < 256; ++byte) refused(file + static_cast<char>(byte), "with a byte after it");
  for (std::size_t at = 0; at < blocks.size(); ++at) {
    const std::string number = std::to_string(at);
    std::vector<std::string> bad = blocks;
    bad.erase(bad.begin() + static_cast<std::ptrdiff_t>(at));
    refused(joined(bad), "block " + number + " dropped");
    for (std::size_t to = 0; to <= blocks.size(); ++to) {
      bad = blocks;
      bad.insert(bad.begin() + static_cast<std::ptrdiff_t>(to), blocks[at]);
      refused(joined(bad), "block " + number + " doubled at " + std::to_string(to));
      bad = blocks;
      bad.insert(bad.begin() + static_cast<std::ptrdiff_t>(to), others[at]);
      refused(joined(bad), "block " + number + " of another file put in at " + std::to_string(to));
      if (to == blocks.size()) continue;
      bad = blocks;
      std::swap(bad[at], bad[to]);
      refused(joined(bad), "blocks " + number + " and " + std::to_string(to) + " exchanged");
      bad = blocks;
      bad[to] = others[at];
      refused(joined(bad), "block " + number + " of another file in place of " + std::to_string(to));
      bad = blocks;
      bad[to] = blocks[at];
      refused(joined(bad), "block " + number + " in place of " + std::to_string(to));
    }
    // The beginning of one file, the end of the other.
    std::vector<std::string> spliced(blocks.begin(), blocks.begin() + static_cast<std::ptrdiff_t>(at));
    spliced.insert(spliced.end(), others.begin() + static_cast<std::ptrdiff_t>(at), others.end());
    if (at > 0) refused(joined(spliced), "spliced with another file at block " + number);
  }
  refused(file + other, "followed by another");
  refused("", "nothing");
}

}  // namespace

int main() {
  trial tried;
  tamper<ckpt::aes_gcm>(tried);
  tamper<ckpt::aes_cbc>(tried);
  tamper<ckpt::sm4_cbc>(tried);
  return tried.finish();
}
