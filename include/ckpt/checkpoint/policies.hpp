#ifndef CKPT_CHECKPOINT_POLICIES_HPP
#define CKPT_CHECKPOINT_POLICIES_HPP

#include <type_traits>

#include <ckpt/format/concept.hpp>
#include <ckpt/format/mindspore.hpp>

namespace ckpt {

namespace detail {

template <class Default, class... Policies>
struct choose_format {
  using type = Default;
};
template <class Default, class First, class... Rest>
struct choose_format<Default, First, Rest...> {
  using type = typename choose_format<Default, Rest...>::type;
};
template <class Default, file_format First, class... Rest>
struct choose_format<Default, First, Rest...> {
  using type = First;
};

// A function, not members of policy_set: a class whose assertion fails has no `format`, and that would be a second
// error.
template <class... Policies>
constexpr bool check_policies() noexcept {
  static_assert((file_format<Policies> && ...),
                "ckpt: a policy is none: name a format, ckpt::mindspore or ckpt::safetensors, or a type "
                "that satisfies ckpt::file_format");
  static_assert(sizeof...(Policies) <= 1, "ckpt: two formats are named; a file has one");
  return true;
}

template <class... Policies>
constexpr void check_load_policies() noexcept {
  static_assert(sizeof...(Policies) == 0, "ckpt: a load takes no policies: the file says which format it has");
}

}  // namespace detail

/// What the policies of a save say, in whatever order they come: the format, mindspore where none is named.
template <class... Policies>
struct policy_set {
  using format = typename detail::choose_format<std::enable_if_t<detail::check_policies<Policies...>(), mindspore>,
                                                Policies...>::type;
};

}  // namespace ckpt

#endif
