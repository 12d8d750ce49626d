#ifndef CKPT_MANAGER_ANY_OF_HPP
#define CKPT_MANAGER_ANY_OF_HPP

#include <cstddef>
#include <span>
#include <tuple>
#include <utility>

#include <ckpt/manager/preservation.hpp>
#include <ckpt/manager/save_decision.hpp>
#include <ckpt/manager/training_step.hpp>

namespace ckpt {

/// Several policies as one: saves, or keeps, what any of them would.
template <class... Policies>
class any_of final {
  static_assert((save_decision_policy<Policies> && ...) || (preservation_policy<Policies> && ...),
                "ckpt::any_of: its policies must all say when to save (should_save), or all what to keep (preserves)");

 public:
  explicit any_of(Policies... policies) : m_policies(std::move(policies)...) {}

  [[nodiscard]] bool should_save(const training_step& now, const save_history& history) const
    requires(save_decision_policy<Policies> && ...)
  {
    return std::apply([&](const Policies&... each) { return (each.should_save(now, history) || ...); }, m_policies);
  }

  [[nodiscard]] bool preserves(std::span<const checkpoint> all, std::size_t at) const
    requires(preservation_policy<Policies> && ...)
  {
    return std::apply([&](const Policies&... each) { return (each.preserves(all, at) || ...); }, m_policies);
  }

 private:
  std::tuple<Policies...> m_policies;
};

}  // namespace ckpt

#endif
