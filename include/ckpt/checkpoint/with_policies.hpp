#ifndef CKPT_CHECKPOINT_WITH_POLICIES_HPP
#define CKPT_CHECKPOINT_WITH_POLICIES_HPP

#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

#include <ckpt/checkpoint/policies.hpp>
#include <ckpt/checksum/concept.hpp>
#include <ckpt/cipher/concept.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/format/concept.hpp>

namespace ckpt {

namespace detail {

/// What was named at run time, by kind; empty: nothing of that kind.
struct named_policies {
  std::string_view format{};
  std::string_view cipher{};
  std::string_view checksum{};
};

/// Goes through the choices until each kind that is named is found, and calls `use` with what was found. Only what may
/// stand together is ever put together: a cipher alone, or a format and a checksum.
template <class Result, class Use, class... Found>
Result find_checksum(const named_policies& names, Use& use, policies<Found...> found, policy_list<>) {
  static_cast<void>(names);
  return use(found);
}
template <class Result, class Use, class... Found, class First, class... Rest>
Result find_checksum(const named_policies& names, Use& use, policies<Found...> found, policy_list<First, Rest...>) {
  if constexpr (checksum_policy<First>)
    if (names.checksum == First::name) return use(policies<Found..., First>());
  return find_checksum<Result>(names, use, found, policy_list<Rest...>());
}

template <class Result, class Use, class All>
Result find_policies(const named_policies& names, Use& use, All all, policy_list<>) {
  return find_checksum<Result>(names, use, policies<>(), all);
}
template <class Result, class Use, class All, class First, class... Rest>
Result find_policies(const named_policies& names, Use& use, All all, policy_list<First, Rest...>) {
  if constexpr (cipher_policy<First>) {
    if (names.cipher == First::name) return use(policies<First>());
  } else if constexpr (file_format<First>) {
    if (names.cipher.empty() && names.format == First::name)
      return find_checksum<Result>(names, use, policies<First>(), all);
  }
  return find_policies<Result>(names, use, all, policy_list<Rest...>());
}

}  // namespace detail

/// Policies chosen at run time, for tools: calls `use(ckpt::policies<...>())` with those of the `Choices` that `names`
/// names, in any order, and returns what it returns. The empty string names nothing. Only combinations that may stand
/// together are compiled. Throws usage_error for a name that none of them has, and for a combination that may not.
///
///     ckpt::with_policies<ckpt::safetensors, ckpt::aes_gcm, ckpt::crc32>({"AES-GCM"}, [&]<class... Chosen>(
///         ckpt::policies<Chosen...>) { return ckpt::save<Chosen...>(net, path, options); });
template <class... Choices, class Use>
auto with_policies(std::initializer_list<std::string_view> names, Use&& use) {
  using result = decltype(use(policies<>()));
  detail::check_each_policy<Choices...>();
  detail::named_policies found;
  for (const std::string_view name : names) {
    if (name.empty()) continue;
    std::string_view* kind = nullptr;
    const auto look = [&](std::string_view of, std::string_view& slot) {
      if (of == name) kind = &slot;
    };
    look(mindspore::name, found.format);
    (look(Choices::name, file_format<Choices>     ? found.format
                         : cipher_policy<Choices> ? found.cipher
                                                  : found.checksum),
     ...);
    if (kind == nullptr)
      throw usage_error(errc::invalid_argument, {},
                        concat({"there is no policy of the name \"", name, "\" to choose"}));
    if (!kind->empty() && *kind != name)
      throw usage_error(errc::invalid_argument, {},
                        concat({"\"", *kind, "\" and \"", name, "\" exclude each other: a file has one of a kind"}));
    *kind = name;
  }
  if (!found.cipher.empty() && !found.checksum.empty())
    throw usage_error(
        errc::invalid_argument, {},
        concat({"\"", found.cipher, "\" and \"", found.checksum,
                "\" exclude each other: an encrypted file is sealed, which shows more than a checksum could"}));
  if (!found.cipher.empty() && !found.format.empty() && found.format != mindspore::name)
    throw usage_error(errc::invalid_argument, {},
                      concat({"\"", found.cipher, "\" and \"", found.format,
                              "\" exclude each other: only ckpt files are encrypted"}));
  return detail::find_policies<result>(found, use, detail::policy_list<Choices...>(),
                                       detail::policy_list<Choices...>());
}

}  // namespace ckpt

#endif
