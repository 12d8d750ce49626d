#include "watch.hpp"

#include <cstddef>
#include <cstdlib>
#include <ctime>
#include <new>
#include <stdexcept>
#include <string_view>

#include <dlfcn.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../sanitized.hpp"

namespace {

/// On a page that is zero in every forked process (MADV_WIPEONFORK): asking takes no system call.
const volatile char* is_parent = nullptr;

void note(std::string_view what) {
  if (is_parent == nullptr || *is_parent != 0) return;
  static_cast<void>(::write(STDERR_FILENO, what.data(), what.size()) == 0);  // closed in a child of ours, as a rule
  ::_exit(watch::caught);
}

/// The function of that name which would have been called without this file.
template <class Function>
Function* next(Function*, const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

void watch::begin() {
  void* const page = ::mmap(nullptr, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED || ::madvise(page, 1, MADV_WIPEONFORK) != 0)
    throw std::runtime_error("no page that is wiped on fork");
  *static_cast<char*>(page) = 1;
  is_parent = static_cast<const volatile char*>(page);
}

bool watch::sees_malloc() noexcept {
#ifdef CKPT_SANITIZED
  return false;
#else
  return true;
#endif
}

extern "C" {

#ifndef CKPT_SANITIZED
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* memory);

void* malloc(std::size_t size) {
  note("malloc\n");
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  note("calloc\n");
  return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) {
  note("realloc\n");
  return __libc_realloc(memory, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
  note("memalign\n");
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }
int posix_memalign(void** to, std::size_t alignment, std::size_t size) {
  *to = memalign(alignment, size);
  return 0;
}
void free(void* memory) {
  note("free\n");
  __libc_free(memory);
}
#endif

int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  note("pthread_mutex_lock\n");
  static const auto real = next(&::pthread_mutex_lock, "pthread_mutex_lock");
  return real(mutex);
}
int pthread_mutex_trylock(pthread_mutex_t* mutex) noexcept {
  note("pthread_mutex_trylock\n");
  static const auto real = next(&::pthread_mutex_trylock, "pthread_mutex_trylock");
  return real(mutex);
}
int pthread_mutex_unlock(pthread_mutex_t* mutex) noexcept {
  note("pthread_mutex_unlock\n");
  static const auto real = next(&::pthread_mutex_unlock, "pthread_mutex_unlock");
  return real(mutex);
}
int pthread_rwlock_rdlock(pthread_rwlock_t* lock) noexcept {
  note("pthread_rwlock_rdlock\n");
  static const auto real = next(&::pthread_rwlock_rdlock, "pthread_rwlock_rdlock");
  return real(lock);
}
int pthread_rwlock_wrlock(pthread_rwlock_t* lock) noexcept {
  note("pthread_rwlock_wrlock\n");
  static const auto real = next(&::pthread_rwlock_wrlock, "pthread_rwlock_wrlock");
  return real(lock);
}
int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
  note("pthread_cond_wait\n");
  static const auto real = next(&::pthread_cond_wait, "pthread_cond_wait");
  return real(condition, mutex);
}
int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock, const timespec* until) {
  note("pthread_cond_clockwait\n");
  static const auto real = next(&::pthread_cond_clockwait, "pthread_cond_clockwait");
  return real(condition, mutex, clock, until);
}
int pthread_cond_signal(pthread_cond_t* condition) noexcept {
  note("pthread_cond_signal\n");
  static const auto real = next(&::pthread_cond_signal, "pthread_cond_signal");
  return real(condition);
}
int pthread_cond_broadcast(pthread_cond_t* condition) noexcept {
  note("pthread_cond_broadcast\n");
  static const auto real = next(&::pthread_cond_broadcast, "pthread_cond_broadcast");
  return real(condition);
}
int pthread_once(pthread_once_t* once, void (*first)()) {
  note("pthread_once\n");
  static const auto real = next(&::pthread_once, "pthread_once");
  return real(once, first);
}

}  // extern "C"

// Not inlined, or g++ takes free for the wrong partner of new.
[[gnu::noinline]] void* operator new(std::size_t size) {
  note("operator new\n");
  if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  note("operator new\n");
  const auto step = static_cast<std::size_t>(alignment);
  if (void* const memory = std::aligned_alloc(step, (size + step - 1) / step * step)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  note("operator delete\n");
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { operator delete(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  operator delete(memory);
}
