#ifndef CKPT_MANAGER_PRESERVATION_HPP
#define CKPT_MANAGER_PRESERVATION_HPP

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>

#include <ckpt/manager/training_step.hpp>

namespace ckpt {

/// Which checkpoints to keep, as a policy, a value that is copied:
///
///   preserves(all, at)   whether all[at] is kept; `all` are those that there are, from the oldest to the newest
///
/// The one that has just been saved is kept whatever a policy says.
template <class P>
concept preservation_policy = requires(const P& policy, std::span<const checkpoint> all, std::size_t at) {
  { policy.preserves(all, at) } -> std::same_as<bool>;
};

/// The newest `n`.
struct latest_n final {
  std::size_t n = 1;

  [[nodiscard]] bool preserves(std::span<const checkpoint> all, std::size_t at) const noexcept {
    return all.size() - at <= n;
  }
};

/// Which value of a metric is the best.
enum class best : std::uint8_t { largest, smallest };

/// What becomes of a checkpoint that was saved without the metric.
enum class without_metric : std::uint8_t {
  kept,    ///< it may be the best: nobody knows
  passed,  ///< best_n does not keep it; another policy may
};

/// The `n` with the best values of a metric; of equal ones the newest. A value that is not finite is worse than any
/// that is.
struct best_n final {
  std::size_t n = 1;
  std::string metric{};
  ckpt::best best = ckpt::best::largest;
  ckpt::without_metric without_metric = ckpt::without_metric::kept;

  [[nodiscard]] bool preserves(std::span<const checkpoint> all, std::size_t at) const {
    const auto own = all[at].metrics.find(metric);
    if (own == all[at].metrics.end()) return without_metric == ckpt::without_metric::kept;
    std::size_t better = 0;
    for (std::size_t other = 0; other < all.size(); ++other) {
      const auto found = all[other].metrics.find(metric);
      if (found == all[other].metrics.end()) continue;
      if (is_better(found->second, own->second) || (other > at && !is_better(own->second, found->second))) ++better;
    }
    return better < n;
  }

 private:
  [[nodiscard]] bool is_better(double a, double b) const noexcept {
    if (!std::isfinite(a) || !std::isfinite(b)) return std::isfinite(a) && !std::isfinite(b);
    return best == ckpt::best::largest ? a > b : a < b;
  }
};

/// Any preservation_policy; by default one that keeps everything.
class preservation final {
 public:
  preservation() = default;
  template <class Policy>
    requires(!std::same_as<Policy, preservation> && preservation_policy<Policy>)
  preservation(Policy policy)  // NOLINT(google-explicit-constructor): an option's type
      : m_preserve([policy = std::move(policy)](std::span<const checkpoint> all, std::size_t at) {
          return policy.preserves(all, at);
        }) {}

  [[nodiscard]] bool preserves(std::span<const checkpoint> all, std::size_t at) const {
    return !m_preserve || m_preserve(all, at);
  }

 private:
  std::function<bool(std::span<const checkpoint>, std::size_t)> m_preserve;
};

}  // namespace ckpt

#endif
