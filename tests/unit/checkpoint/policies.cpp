#include <ckpt/checkpoint/policies.hpp>

#include <doctest/doctest.h>

#include <type_traits>

#include <ckpt/format/safetensors.hpp>

#include "../checksum/own_checksum.hpp"
#include "../support.hpp"
#include "own_cipher.hpp"

using namespace ckpt;

namespace {

struct mine {
  static constexpr std::string_view name = "mine";
  static constexpr std::string_view suffix = "mine";
  static plan make_plan(const entries&, const format_options&) { return {}; }
  static file_index read_index(const source& from) { return {name, from.label(), from.size()}; }
};

using support::adler32;
using rot13 = support::own_cipher<'r'>;

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
  CHECK(says<policy_set<adler32>, mindspore, no_cipher, adler32>);
}

TEST_CASE("policy_set: in any order") {
  CHECK(says<policy_set<adler32, safetensors>, safetensors, no_cipher, adler32>);
  CHECK(says<policy_set<safetensors, adler32>, safetensors, no_cipher, adler32>);
  CHECK(says<policy_set<rot13, mindspore>, mindspore, rot13, no_checksum>);
}

TEST_CASE("policies: a bundle stands wherever a policy may") {
  using bundle = policies<adler32, safetensors>;
  CHECK(says<policy_set<bundle>, safetensors, no_cipher, adler32>);
  CHECK(says<policy_set<policies<>>, mindspore, no_cipher, no_checksum>);
  CHECK(says<policy_set<policies<safetensors>, adler32>, safetensors, no_cipher, adler32>);
  CHECK(says<policy_set<adler32, policies<policies<>, policies<safetensors>>>, safetensors, no_cipher, adler32>);
}

TEST_CASE("policy_set: a key that no cipher would use is an error") {
  const secret_key key = secret_key::from_text("0123456789abcdef");
  CHECK(
      support::message_of<usage_error>([&] { detail::check_key_is_used<no_cipher>(key, "f.ckpt"); }) ==
      "f.ckpt: a key is given, and no cipher: name one, as in ckpt::save<ckpt::aes_gcm> or ckpt::load<ckpt::aes_gcm>");
  detail::check_key_is_used<no_cipher>({}, "f.ckpt");
  detail::check_key_is_used<rot13>(key, "f.ckpt");
}
