#ifndef CKPT_CIPHER_SECRET_KEY_HPP
#define CKPT_CIPHER_SECRET_KEY_HPP

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include <ckpt/core/byte_span.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/core/trivial_vector.hpp>
#include <ckpt/io/file_descriptor.hpp>

namespace ckpt {

/// Overwrites memory in a way that no compiler leaves out.
inline void wipe(std::byte* bytes, std::size_t size) noexcept {
  if (size == 0) return;
  std::memset(bytes, 0, size);
  __asm__ __volatile__("" : : "r"(bytes) : "memory");
}

/// Bytes of a fixed number that are overwritten when they are no longer needed. Move only.
class secret_bytes {
 public:
  secret_bytes() = default;
  /// That many bytes, to be filled in.
  explicit secret_bytes(std::size_t size) { m_bytes.resize_for_overwrite(size); }
  explicit secret_bytes(sequence<std::byte> bytes) : secret_bytes(bytes.size()) {
    if (!bytes.empty()) std::memcpy(m_bytes.data(), bytes.data(), bytes.size());
  }
  secret_bytes(secret_bytes&& other) noexcept { m_bytes.swap(other.m_bytes); }
  secret_bytes& operator=(secret_bytes other) noexcept {
    m_bytes.swap(other.m_bytes);
    return *this;
  }
  ~secret_bytes() { wipe(m_bytes.data(), m_bytes.size()); }

  [[nodiscard]] std::size_t size() const noexcept { return m_bytes.size(); }
  [[nodiscard]] byte_span bytes() noexcept { return m_bytes; }
  [[nodiscard]] sequence<std::byte> bytes() const noexcept { return m_bytes; }

 private:
  trivial_vector<std::byte> m_bytes;
};

/// What a file is encrypted with: the bytes of a key, or a passphrase, from which each file's key is derived. Its
/// memory is overwritten at the end. Move only; clone() where two are meant. Errors never show any of it.
class secret_key {
 public:
  /// A copy of the bytes of the key. Which lengths there are, the cipher says: 16, 24 or 32 for AES, 16 for SM4.
  [[nodiscard]] static secret_key from_bytes(sequence<std::byte> bytes) {
    return secret_key(secret_bytes(bytes), false);
  }
  /// The same of the characters of a text, one byte each.
  [[nodiscard]] static secret_key from_text(std::string_view bytes) { return from_bytes(bytes_of(bytes)); }

  /// Two hexadecimal digits a byte. Throws usage_error for anything else.
  [[nodiscard]] static secret_key from_hex(std::string_view digits) { return from_digits(digits, {}); }

  /// The key that a file or pipe holds: as hexadecimal digits (32, 48 or 64 of them), alone in it but for a line end,
  /// or as the 16, 24 or 32 bytes themselves. Throws io_error where it cannot be read, usage_error where it holds
  /// neither, or text that looks like digits of which some are missing or wrong.
  [[nodiscard]] static secret_key from_file(std::string path) {
    const file_descriptor file = file_descriptor::open_stream(std::move(path));
    constexpr std::size_t longest = 66;  // 64 digits and a line end of two characters
    secret_bytes room(longest + 1);
    const std::size_t size = file.read_next(room.bytes().data(), room.size());
    const sequence<std::byte> content(room.bytes().data(), size);
    const std::string_view all(reinterpret_cast<const char*>(content.data()), size);
    const std::string_view text = all.substr(0, all.find_last_not_of("\r\n") + 1);
    const bool is_whole = size <= longest;  // not the beginning of more
    if (is_whole && (text.size() == 32 || text.size() == 48 || text.size() == 64) && count_hex(text) == text.size())
      return from_digits(text, file.path());
    if (size != 16 && size != 24 && size != 32)
      throw usage_error(errc::key, {.path = file.path()}, concat({"is no key file: a key is ", what_is_a_key}));
    if (looks_typed(all, text))
      throw usage_error(errc::key, {.path = file.path()},
                        concat({"is no key file, but text of ", std::to_string(text.size()), " characters: a key is ",
                                what_is_a_key}));
    return from_bytes(content);
  }

  /// The key that an environment variable holds, in hexadecimal digits. Throws usage_error where it is not set or holds
  /// something else.
  [[nodiscard]] static secret_key from_environment(const std::string& variable) {
    const char* const digits = std::getenv(variable.c_str());
    if (digits == nullptr) throw usage_error(errc::key, {}, no_variable);
    return from_digits(digits, concat({"environment variable ", variable}));
  }

  /// A key for each file, derived from the passphrase by scrypt, with the first iv of the file as salt. Throws
  /// usage_error for an empty one.
  [[nodiscard]] static secret_key from_passphrase(std::string_view passphrase) {
    if (passphrase.empty()) throw usage_error(errc::key, {}, "the passphrase is empty");
    return secret_key(secret_bytes(bytes_of(passphrase)), true);
  }

  secret_key(secret_key&&) noexcept = default;
  secret_key& operator=(secret_key&&) noexcept = default;

  [[nodiscard]] secret_key clone() const { return secret_key(secret_bytes(bytes()), m_is_passphrase); }

  /// For ciphers: the bytes of the key, or of the passphrase.
  [[nodiscard]] sequence<std::byte> bytes() const noexcept { return m_bytes.bytes(); }
  [[nodiscard]] bool is_passphrase() const noexcept { return m_is_passphrase; }

  /// Said where a variable of the environment is not set. Without its name: who gives the key itself for one would find
  /// it in a log.
  static constexpr std::string_view no_variable =
      "there is no environment variable of that name: name the one that holds the key";

 private:
  static constexpr std::string_view what_is_a_key = "32, 48 or 64 hexadecimal digits, or 16, 24 or 32 bytes";

  secret_key(secret_bytes bytes, bool is_passphrase) noexcept
      : m_bytes(std::move(bytes)), m_is_passphrase(is_passphrase) {}

  static sequence<std::byte> bytes_of(std::string_view text) noexcept {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
  }

  static int hex_value(char digit) noexcept {
    if (digit >= '0' && digit <= '9') return digit - '0';
    const char letter = static_cast<char>(digit | 0x20);
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
  }

  /// How many hexadecimal digits the text begins with.
  static std::size_t count_hex(std::string_view text) noexcept {
    std::size_t count = 0;
    while (count < text.size() && hex_value(text[count]) >= 0) ++count;
    return count;
  }

  static secret_key from_digits(std::string_view digits, std::string origin) {
    const std::size_t good = count_hex(digits);
    if (good < digits.size())
      throw usage_error(errc::key, {.path = std::move(origin)},
                        concat({"the key is not hexadecimal: character ", std::to_string(good + 1), " of ",
                                std::to_string(digits.size()), " is no digit"}));
    if (digits.size() % 2 != 0)
      throw usage_error(errc::key, {.path = std::move(origin)},
                        concat({"the key is not whole: it has ", std::to_string(digits.size()),
                                " hexadecimal digits, and a byte has two"}));
    secret_bytes bytes(digits.size() / 2);
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bytes.bytes()[i] = static_cast<std::byte>(hex_value(digits[2 * i]) * 16 + hex_value(digits[2 * i + 1]));
    return secret_key(std::move(bytes), false);
  }

  /// Whether as many bytes as a key has, all of them `text` but for a line end, are a line, or mostly digits. No key
  /// that was drawn at random looks like that.
  static bool looks_typed(std::string_view all, std::string_view text) noexcept {
    std::size_t digits = 0;
    for (const char letter : text) {
      if (letter < ' ' || letter > '~') return false;
      digits += hex_value(letter) >= 0;
    }
    return text.size() < all.size() || (text.size() > 16 && digits >= text.size() / 4 * 3);
  }

  secret_bytes m_bytes;
  bool m_is_passphrase;
};

/// The key of an option: borrowed for the call. A temporary would be gone, and wiped, when the options are used later:
/// keep the key in a variable.
class borrowed_key {
 public:
  constexpr borrowed_key() noexcept = default;
  constexpr borrowed_key(const secret_key& key) noexcept : m_key(&key) {}  // NOLINT(google-explicit-constructor)
  borrowed_key(const secret_key&&) = delete;

  /// nullptr where none was given.
  [[nodiscard]] constexpr const secret_key* get() const noexcept { return m_key; }

 private:
  const secret_key* m_key = nullptr;
};

}  // namespace ckpt

#endif
