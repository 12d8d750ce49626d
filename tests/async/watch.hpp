#ifndef CKPT_TESTS_ASYNC_WATCH_HPP
#define CKPT_TESTS_ASYNC_WATCH_HPP

// watch.cpp puts its own malloc, operator new and pthread locks in the place of the C library's. In a forked process
// they end it: another thread of the parent may have held any lock at the fork.

namespace watch {

/// Exit code of a forked process that allocated, freed or locked.
inline constexpr int caught = 99;

/// From here on, in processes that are forked from this one.
void begin();

/// Whether malloc and free are watched themselves, and not operator new and delete alone: the sanitizers bring their
/// own malloc.
[[nodiscard]] bool sees_malloc() noexcept;

}  // namespace watch

#endif
