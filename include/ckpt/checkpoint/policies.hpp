#ifndef CKPT_CHECKPOINT_POLICIES_HPP
#define CKPT_CHECKPOINT_POLICIES_HPP

#include <cstddef>
#include <string>
#include <type_traits>

#include <ckpt/checksum/concept.hpp>
#include <ckpt/cipher/concept.hpp>
#include <ckpt/cipher/secret_key.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/format/concept.hpp>
#include <ckpt/format/mindspore.hpp>

namespace ckpt {

/// Several policies under one name, for a whole build: `using build_policies = ckpt::policies<ckpt::crc32>;`, then
/// `ckpt::save<build_policies>(...)`. Stands wherever a policy may.
template <class... Policies>
struct policies {};

/// No cipher is named: the file is plain.
struct no_cipher final {};
/// No checksum is named: the file gets none, and one that is there is not verified.
struct no_checksum final {};

namespace detail {

template <class... Policies>
struct policy_list {};

template <class... A, class... B>
policy_list<A..., B...> operator+(policy_list<A...>, policy_list<B...>);
template <class Policy>
policy_list<Policy> flatten(policy_list<Policy>);
template <class... Policies>
auto flatten(policy_list<policies<Policies...>>)
    -> decltype((policy_list<>() + ... + flatten(policy_list<Policies>())));

template <class Policy, class Default>
using format_or = std::conditional_t<file_format<Policy>, Policy, Default>;
template <class Policy, class Default>
using cipher_or = std::conditional_t<cipher_policy<Policy>, Policy, Default>;
template <class Policy, class Default>
using checksum_or = std::conditional_t<checksum_policy<Policy>, Policy, Default>;

template <class Format, class Cipher, class Checksum, class... Policies>
struct chosen {
  using format = Format;
  using cipher = Cipher;
  using checksum = Checksum;
};
template <class Format, class Cipher, class Checksum, class First, class... Rest>
struct chosen<Format, Cipher, Checksum, First, Rest...>
    : chosen<format_or<First, Format>, cipher_or<First, Cipher>, checksum_or<First, Checksum>, Rest...> {};

template <class... Policies>
constexpr void check_each_policy() noexcept {
  static_assert(((file_format<Policies> || cipher_policy<Policies> || checksum_policy<Policies>) && ...),
                "ckpt: a policy is none: name a format (ckpt::mindspore, ckpt::safetensors), a cipher (ckpt::aes_gcm, "
                "...), a checksum (ckpt::crc32), or a type of your own that satisfies ckpt::file_format, "
                "ckpt::cipher_policy or ckpt::checksum_policy");
}

// A function, not members of policy_set: a class whose assertion fails has no `format`, and that would be a second
// error.
template <class... Policies>
constexpr bool check_policies(policy_list<Policies...>) noexcept {
  check_each_policy<Policies...>();
  constexpr std::size_t formats = (std::size_t{file_format<Policies>} + ... + 0);
  constexpr std::size_t ciphers = (std::size_t{cipher_policy<Policies>} + ... + 0);
  constexpr std::size_t checksums = (std::size_t{checksum_policy<Policies>} + ... + 0);
  static_assert(formats <= 1, "ckpt: two formats are named; a file has one");
  static_assert(ciphers <= 1, "ckpt: two ciphers are named; a file has one");
  static_assert(checksums <= 1, "ckpt: two checksums are named; a file has one");
  static_assert(
      ciphers == 0 || checksums == 0,
      "ckpt: a cipher and a checksum exclude each other: an encrypted file is sealed, which shows more than a "
      "checksum could; leave the checksum out");
  static_assert(ciphers == 0 || formats == 0 || (std::is_same_v<Policies, mindspore> || ...),
                "ckpt: only ckpt files are encrypted: safetensors and other formats have no place for it; leave the "
                "format out, or the cipher");
  return true;
}

template <class List>
struct checked_policies;
template <class... Policies>
struct checked_policies<policy_list<Policies...>> {
  using type = chosen<std::enable_if_t<check_policies(policy_list<Policies...>()), mindspore>, no_cipher, no_checksum,
                      Policies...>;
};

}  // namespace detail

namespace detail {

/// Throws usage_error where a key is given that nothing would use: what was meant to be secret would be plain.
template <class Cipher>
void check_key_is_used(const borrowed_key& key, const std::string& path) {
  if constexpr (std::is_same_v<Cipher, no_cipher>)
    if (key.get() != nullptr)
      throw usage_error(errc::key, {.path = path},
                        "a key is given, and no cipher: name one, as in ckpt::save<ckpt::aes_gcm> or "
                        "ckpt::load<ckpt::aes_gcm>");
}

}  // namespace detail

/// What the policies of a save or load say, in whatever order they come: the `format`, mindspore where none is named;
/// the `cipher`, or no_cipher; the `checksum`, or no_checksum.
template <class... Policies>
struct policy_set
    : detail::checked_policies<decltype(detail::flatten(detail::policy_list<policies<Policies...>>()))>::type {};

}  // namespace ckpt

#endif
