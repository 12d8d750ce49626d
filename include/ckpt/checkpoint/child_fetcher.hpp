#ifndef CKPT_CHECKPOINT_CHILD_FETCHER_HPP
#define CKPT_CHECKPOINT_CHILD_FETCHER_HPP

#include <cstddef>

#include <ckpt/checkpoint/read_ahead.hpp>
#include <ckpt/task/child_thread.hpp>

namespace ckpt::detail {

/// The fetcher of a forked process.
class child_fetcher final : public fetcher {
 public:
  /// Once in a process. Null where there can be none. Allocates nothing.
  [[nodiscard]] static fetcher* start() noexcept {
    return only.m_thread.start<&child_fetcher::run>(only) ? &only : nullptr;
  }

 private:
  constexpr child_fetcher() noexcept = default;

  void wait(unsigned /*number*/) noexcept override { m_thread.wait(); }
  void wake() noexcept override { m_thread.wake(); }
  void prepare(const std::byte* begin, std::size_t size) noexcept override { m_thread.touch(begin, size); }
  void finish() noexcept override {}  // it ends with the process

  static child_fetcher only;

  child_thread m_thread;
};

inline constinit child_fetcher child_fetcher::only;

}  // namespace ckpt::detail

#endif
