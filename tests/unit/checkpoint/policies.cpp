#include <ckpt/checkpoint/policies.hpp>

#include <doctest/doctest.h>

#include <type_traits>

#include <ckpt/format/safetensors.hpp>

#include "../support.hpp"

using namespace ckpt;

namespace {

struct mine {
  static constexpr std::string_view name = "mine";
  static constexpr std::string_view suffix = "mine";
  static plan make_plan(const entries&, const format_options&) { return {}; }
  static file_index read_index(const source& from) { return {name, from.label(), from.size()}; }
};

struct parity {
  static constexpr std::string_view name = "parity";
  parity() = default;
  explicit parity(std::uint32_t) {}
  void update(std::span<const std::byte>) {}
  [[nodiscard]] std::uint32_t value() const { return 0; }
  static std::uint32_t combine(std::uint32_t a, std::uint32_t b, std::uint64_t) { return a ^ b; }
};

struct rot13 {
  static constexpr std::string_view name = "ROT13";
  static constexpr std::uint32_t magic = 13;
  static bool takes(std::size_t) { return true; }
  static constexpr std::string_view key_sizes = "any number of bytes";
  static constexpr std::size_t derived_key_size = 16;
  static constexpr bool is_authenticated = false;
  static constexpr bool is_padded = false;
  struct encryptor {
    static constexpr std::size_t lanes = 1;
    explicit encryptor(std::span<const std::byte>) {}
    void begin(std::size_t, std::span<const std::byte, iv_size>) {}
    void process(std::span<const cipher_lane>, std::size_t) {}
  };
  struct decryptor {
    explicit decryptor(std::span<const std::byte>) {}
    void begin(std::span<const std::byte, iv_size>) {}
    void process(const std::byte*, std::byte*, std::size_t) {}
  };
};

template <class Set, class Format, class Cipher, class Checksum>
constexpr bool says = std::is_same_v<typename Set::format, Format> && std::is_same_v<typename Set::cipher, Cipher> &&
                      std::is_same_v<typename Set::checksum, Checksum>;

}  // namespace

TEST_CASE("policy_set: what is named, and what stands for the rest") {
  CHECK(says<policy_set<>, mindspore, no_cipher, no_checksum>);
  CHECK(says<policy_set<mindspore>, mindspore, no_cipher, no_checksum>);
  CHECK(says<policy_set<safetensors>, safetensors, no_cipher, no_checksum>);
  CHECK(says<policy_set<mine>, mine, no_cipher, no_checksum>);
  CHECK(says<policy_set<rot13>, mindspore, rot13, no_checksum>);
  CHECK(says<policy_set<parity>, mindspore, no_cipher, parity>);
}

TEST_CASE("policy_set: in any order") {
  CHECK(says<policy_set<parity, safetensors>, safetensors, no_cipher, parity>);
  CHECK(says<policy_set<safetensors, parity>, safetensors, no_cipher, parity>);
  CHECK(says<policy_set<rot13, mindspore>, mindspore, rot13, no_checksum>);
}

TEST_CASE("policies: a bundle stands wherever a policy may") {
  using bundle = policies<parity, safetensors>;
  CHECK(says<policy_set<bundle>, safetensors, no_cipher, parity>);
  CHECK(says<policy_set<policies<>>, mindspore, no_cipher, no_checksum>);
  CHECK(says<policy_set<policies<safetensors>, parity>, safetensors, no_cipher, parity>);
  CHECK(says<policy_set<parity, policies<policies<>, policies<safetensors>>>, safetensors, no_cipher, parity>);
}

TEST_CASE("policy_set: a key that no cipher would use is an error") {
  const secret_key key = secret_key::from_text("0123456789abcdef");
  CHECK(
      support::message_of<usage_error>([&] { detail::check_key_is_used<no_cipher>(key, "f.ckpt"); }) ==
      "f.ckpt: a key is given, and no cipher: name one, as in ckpt::save<ckpt::aes_gcm> or ckpt::load<ckpt::aes_gcm>");
  detail::check_key_is_used<no_cipher>({}, "f.ckpt");
  detail::check_key_is_used<rot13>(key, "f.ckpt");
}
