#ifndef CKPT_CHECKPOINT_IN_FLIGHT_HPP
#define CKPT_CHECKPOINT_IN_FLIGHT_HPP

#include <atomic>
#include <cstdint>
#include <string>

namespace ckpt {

/// What a call does about a file that an asynchronous save of this process is yet to replace.
enum class in_flight : std::uint8_t {
  wait,    ///< until the save is done, well or not
  refuse,  ///< usage_error
};

namespace detail {

/// Who knows of asynchronous saves: nobody before the first. A program without them need not compile what they need.
inline constinit std::atomic<void (*)(const std::string& path, in_flight what)> asynchronous_saves{nullptr};

inline void settle_saves_of(const std::string& path, in_flight what) {
  if (const auto settle = asynchronous_saves.load(std::memory_order_acquire)) settle(path, what);
}

}  // namespace detail

}  // namespace ckpt

#endif
