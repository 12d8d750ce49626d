// Policies of your own beside ckpt's: a format, a cipher and a checksum.
#include <ckpt/crypto.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <cryptopp/chacha.h>

namespace mine {

/// ChaCha20, which MindSpore does not know: files that only programs with this policy read. It makes no tag, so that
/// the seal authenticates each block.
struct chacha20 final {
  static constexpr std::string_view name = "ChaCha20";
  static constexpr std::uint32_t magic = 0x63686132;
  static constexpr bool takes(std::size_t size) noexcept { return size == 32; }
  static constexpr std::string_view key_sizes = "32 bytes";
  static constexpr std::size_t derived_key_size = 32;
  static constexpr bool is_authenticated = false;
  static constexpr bool is_padded = false;

  class stream {
   public:
    static constexpr std::size_t lanes = 1;
    explicit stream(std::span<const std::byte> key) {
      const CryptoPP::byte none[8] = {};
      m_chacha.SetKeyWithIV(raw(key.data()), key.size(), &none[0], sizeof none);
    }
    void begin(std::span<const std::byte, ckpt::iv_size> iv) { m_chacha.Resynchronize(raw(iv.data()), 8); }
    void process(const std::byte* in, std::byte* out, std::size_t size) {
      m_chacha.ProcessData(reinterpret_cast<CryptoPP::byte*>(out), raw(in), size);
    }
    // As an encryptor, one block at a time.
    void begin(std::size_t /*block*/, std::span<const std::byte, ckpt::iv_size> iv) { begin(iv); }
    void process(std::span<const ckpt::cipher_lane> blocks, std::size_t size) {
      process(blocks.front().in, blocks.front().out, size);
    }

   private:
    static const CryptoPP::byte* raw(const std::byte* bytes) { return reinterpret_cast<const CryptoPP::byte*>(bytes); }

    CryptoPP::ChaCha::Encryption m_chacha;  // which decrypts as well
  };
  using encryptor = stream;
  using decryptor = stream;
};

/// A format for tensors alone: for each a line `name type size` with its extents, then all data.
struct lines final {
  static constexpr std::string_view name = "lines";
  static constexpr std::string_view suffix = "lines";

  static ckpt::plan make_plan(const ckpt::entries& given, const ckpt::format_options& /*options*/) {
    std::string head;
    for (const ckpt::entry& each : given) {
      if (each.kind != ckpt::entry_kind::tensor)
        throw ckpt::usage_error(ckpt::errc::unsupported,
                                {.path = given.label(), .name = std::string(each.name), .noun = ckpt::name(each.kind)},
                                "a file of lines holds tensors alone");
      head.append(each.name).append(" ").append(ckpt::name(each.type)).append(" ");
      head.append(std::to_string(each.size_bytes));
      for (const std::int64_t extent : each.shape) head.append(" ").append(std::to_string(extent));
      head.append("\n");
    }
    head.append("\n");
    ckpt::plan plan;
    std::memcpy(plan.add_owned(head.size()).data(), head.data(), head.size());
    for (const ckpt::entry& each : given) plan.add_content(each, 0, each.size_bytes);
    return plan;
  }

  static ckpt::file_index read_index(const ckpt::source& from) {
    ckpt::file_index index(name, from.label(), from.size());
    std::vector<std::byte> bytes(static_cast<std::size_t>(from.size()));
    from.read(0, bytes);
    std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const std::size_t end = text.find("\n\n");
    if (end == std::string_view::npos)
      throw ckpt::format_error(ckpt::errc::malformed, {.path = from.label()},
                               "there is no empty line after the tensors");
    std::uint64_t offset = end + 2;
    for (text = text.substr(0, end + 1); !text.empty(); text.remove_prefix(text.find('\n') + 1)) {
      std::vector<std::string> words(1);
      for (const char letter : text.substr(0, text.find('\n')))
        if (letter == ' ') words.emplace_back();
        else words.back() += letter;
      const ckpt::dtype_info* const known = words.size() < 3 ? nullptr : ckpt::dtype_from_name(words[1]);
      if (known == nullptr)
        throw ckpt::format_error(ckpt::errc::malformed, {.path = from.label()}, "a line is no tensor");
      std::vector<std::int64_t> shape;
      for (std::size_t i = 3; i < words.size(); ++i) shape.push_back(std::atoll(words[i].c_str()));
      const ckpt::extent where{offset, std::strtoull(words[2].c_str(), nullptr, 10)};
      if (ckpt::content_size(known->type, shape) != where.size || where.size > from.size() - offset)
        throw ckpt::format_error(ckpt::errc::malformed, {.path = from.label(), .name = words[0]},
                                 "the sizes do not match");
      index.add(words[0], ckpt::entry_kind::tensor, known->type, shape, {&where, 1});
      offset += where.size;
    }
    return index;
  }
};

/// Adler-32 (RFC 1950), in the place of a CRC-32.
struct adler32 final {
  static constexpr std::string_view name = "adler32";

  adler32() = default;
  explicit adler32(std::uint32_t before) : m_a(before & 0xffff), m_b(before >> 16) {}
  void update(std::span<const std::byte> bytes) noexcept {
    for (const std::byte each : bytes) {
      m_a = (m_a + std::to_integer<std::uint32_t>(each)) % modulus;
      m_b = (m_b + m_a) % modulus;
    }
  }
  [[nodiscard]] std::uint32_t value() const noexcept { return m_b << 16 | m_a; }

  /// Of two parts that follow each other: the second one's sums go on from those of the first.
  static std::uint32_t combine(std::uint32_t first, std::uint32_t second, std::uint64_t second_size) noexcept {
    const std::uint64_t a = (first & 0xffff) + modulus - 1;
    const std::uint64_t b = (first >> 16) + (second >> 16) + second_size % modulus * (a % modulus);
    return static_cast<std::uint32_t>(b % modulus << 16 | (a + (second & 0xffff)) % modulus);
  }

 private:
  static constexpr std::uint32_t modulus = 65521;

  std::uint32_t m_a = 1;
  std::uint32_t m_b = 0;
};

static_assert(ckpt::cipher_policy<chacha20> && ckpt::file_format<lines> && ckpt::checksum_policy<adler32>);

}  // namespace mine

int main() {
  try {
    std::map<std::string, ckpt::tensor> weights;
    weights.emplace("bias", ckpt::tensor({3}, {1.0F, 2.0F, 3.0F}));
    weights.emplace("weight", ckpt::tensor({2, 2}, {1, 2, 3, 4}));

    const ckpt::secret_key key = ckpt::secret_key::from_text("thirty-two bytes for this cipher");
    ckpt::save<mine::chacha20>(weights, "own_cipher", {.permissions = 0644, .key = key});
    const ckpt::state_dict decrypted = ckpt::load<mine::chacha20>("own_cipher.ckpt", {.key = key});
    std::printf("own_cipher.ckpt: %zu tensors, encrypted with %s\n", decrypted.size(),
                std::string(decrypted.cipher()).c_str());

    ckpt::save<mine::lines>(weights, "own_format", {.permissions = 0644});
    const ckpt::state_dict read = ckpt::load<mine::lines>("own_format.lines");
    std::printf("own_format.lines: %zu tensors, read as %s\n", read.size(), std::string(read.format()).c_str());

    const ckpt::save_report report = ckpt::save<mine::adler32>(weights, "own_checksum", {.permissions = 0644});
    const bool is_verified = ckpt::load<mine::adler32>("own_checksum.ckpt").has_checksum();
    std::printf("own_checksum.ckpt: adler32 %08x, %s\n", report.checksum, is_verified ? "verified" : "none");

    const bool is_same = decrypted["weight"].to_vector<int>() == read["weight"].to_vector<int>() &&
                         read["bias"].to_vector<float>() == std::vector<float>{1, 2, 3};
    return is_same && is_verified ? EXIT_SUCCESS : EXIT_FAILURE;
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "%s\n", problem.what());
    return EXIT_FAILURE;
  }
}
