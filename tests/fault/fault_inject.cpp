// A library for LD_PRELOAD that stands between a program and libc, counts the file calls of the program while it is
// armed (see fault_inject.hpp), and lets one of them go wrong. Told by environment variables:
//   FAULT_REPORT  a file of report_size zero bytes, mapped: see `report`. Without it nothing is counted or fails
//   FAULT_AT      which call, from 1; 0 or none: no fault
//   FAULT_KIND    an error's name (ENOSPC, EIO, EINTR, EOPNOTSUPP): the call fails with it, not carried out (close is);
//                 short: half of the bytes; end: no bytes; exit, kill: the process ends before the call
//   FAULT_FROM    1: all calls from FAULT_AT on
//   FAULT_IN      parent: only calls of the program itself; child: only those of processes that it has forked
//   FAULT_THREAD  beside all that: which thread, from 1, the system has none to give for, nor for those after it; those
//                 that are made are not counted as calls
#undef _FILE_OFFSET_BITS  // open and open64 are two symbols here
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "fault_inject.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

/// What the driver reads: the number of calls, and the name of each, as far as there is room.
struct report {
  std::uint64_t calls;
  char names[1023][32];
};
constexpr std::size_t report_size = 32768;
static_assert(sizeof(report) <= report_size);

enum class outcome { carry_out, fail, shorten };

std::atomic<bool> armed{false};
report* shared = nullptr;
std::uint64_t fault_at = 0;
bool fault_from = false;
std::string_view kind;
std::string_view inside;
pid_t program = 0;
int first_thread_missing = 0;
std::atomic<int> threads{0};

/// The function of that name which the program would have called without this library.
template <class Function>
Function* next(Function*, const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

const char* text_of(const char* variable) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? "" : text;
}

int error_number() {
  if (kind == "ENOSPC") return ENOSPC;
  if (kind == "EIO") return EIO;
  if (kind == "EINTR") return EINTR;
  if (kind == "EOPNOTSUPP") return EOPNOTSUPP;
  static_cast<void>(std::fprintf(stderr, "fault_inject: no such FAULT_KIND: %s\n", kind.data()));
  std::abort();
}

/// Counts one call and decides on it; sets errno where it is to fail.
outcome judge(const char* name) {
  if (!armed.load() || shared == nullptr) return outcome::carry_out;
  if (!inside.empty() && (inside == "parent") != (::getpid() == program)) return outcome::carry_out;
  const std::uint64_t call = std::atomic_ref(shared->calls).fetch_add(1) + 1;
  if (call <= sizeof shared->names / sizeof shared->names[0])
    std::strncpy(shared->names[call - 1], name, sizeof shared->names[0] - 1);
  if (fault_at == 0 || call < fault_at || (call > fault_at && !fault_from)) return outcome::carry_out;
  if (kind == "exit") ::_exit(90);
  if (kind == "kill") ::kill(::getpid(), SIGKILL);
  if (kind == "short" || kind == "end") return outcome::shorten;
  errno = error_number();
  return outcome::fail;
}

std::size_t shortened(std::size_t size) { return kind == "end" ? 0 : (size + 1) / 2; }

/// Between the renaming of one file and the making of the next: what is closed then has been closed before, or read.
std::atomic<bool> is_in_place{false};

bool is_directory(int descriptor) {
  struct stat status{};
  static const auto real = next(&::fstat, "fstat");
  const int before = errno;
  const bool yes = real(descriptor, &status) == 0 && S_ISDIR(status.st_mode);
  errno = before;
  return yes;
}

/// A call that is carried out or fails as a whole.
template <class Call>
auto whole(const char* name, Call call) -> decltype(call()) {
  if (judge(name) != outcome::fail) return call();
  if constexpr (std::is_pointer_v<decltype(call())>) return reinterpret_cast<decltype(call())>(-1);
  else return -1;
}

/// A call that may do less than it was asked: call(size) is given how much it may do.
template <class Call>
ssize_t partly(const char* name, std::size_t size, Call call) {
  switch (judge(name)) {
    case outcome::fail: return -1;
    case outcome::shorten: return call(shortened(size));
    default: return call(size);
  }
}

/// The same for several parts.
template <class Call>
ssize_t partly(const char* name, const iovec* parts, int count, Call call) {
  switch (judge(name)) {
    case outcome::fail: return -1;
    case outcome::shorten: break;
    default: return call(parts, count);
  }
  std::size_t size = 0;
  for (int i = 0; i < count; ++i) size += parts[i].iov_len;
  size = shortened(size);
  iovec fewer[16];
  int used = 0;
  for (; used < count && used < 16 && size > 0; ++used) {
    fewer[used] = parts[used];
    if (fewer[used].iov_len > size) fewer[used].iov_len = size;
    size -= fewer[used].iov_len;
  }
  return call(fewer, used);
}

mode_t mode_of(int flags, va_list arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? static_cast<mode_t>(va_arg(arguments, unsigned)) : mode_t{0};
}

__attribute__((constructor)) void begin() {
  const char* const path = text_of("FAULT_REPORT");
  if (*path == '\0') return;
  const int descriptor = next(&::open, "open")(path, O_RDWR | O_CLOEXEC);
  void* const address = ::mmap(nullptr, report_size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (descriptor < 0 || address == MAP_FAILED) {
    std::perror("fault_inject: FAULT_REPORT");
    std::abort();
  }
  next(&::close, "close")(descriptor);
  shared = static_cast<report*>(address);
  fault_at = std::strtoull(text_of("FAULT_AT"), nullptr, 10);
  fault_from = *text_of("FAULT_FROM") == '1';
  kind = text_of("FAULT_KIND");
  inside = text_of("FAULT_IN");
  program = ::getpid();
  first_thread_missing = std::atoi(text_of("FAULT_THREAD"));
}

}  // namespace

extern "C" {

void fault_inject_arm(int on) { armed.store(on != 0); }

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  static const auto real = next(&::open, "open");
  return whole((flags & O_DIRECTORY) != 0 ? "open directory" : "open", [&] { return real(path, flags, mode); });
}
int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  static const auto real = next(&::open64, "open64");
  return whole((flags & O_DIRECTORY) != 0 ? "open directory" : "open", [&] { return real(path, flags, mode); });
}
int openat(int directory, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  static const auto real = next(&::openat, "openat");
  if ((flags & O_CREAT) != 0) is_in_place = false;
  return whole((flags & O_CREAT) != 0 ? "openat" : "openat to know",
               [&] { return real(directory, path, flags, mode); });
}
int openat64(int directory, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  static const auto real = next(&::openat64, "openat64");
  if ((flags & O_CREAT) != 0) is_in_place = false;
  return whole((flags & O_CREAT) != 0 ? "openat" : "openat to know",
               [&] { return real(directory, path, flags, mode); });
}

int close(int descriptor) {
  static const auto real = next(&::close, "close");
  const char* const what = is_directory(descriptor) ? "close directory" : is_in_place ? "close afterwards" : "close";
  const bool fails = judge(what) == outcome::fail;
  const int reason = errno;
  const int result = real(descriptor);
  if (!fails) return result;
  errno = reason;
  return -1;
}

ssize_t read(int descriptor, void* to, size_t size) {
  static const auto real = next(&::read, "read");
  return partly("read", size, [&](size_t count) { return real(descriptor, to, count); });
}
ssize_t pread(int descriptor, void* to, size_t size, off_t offset) {
  static const auto real = next(&::pread, "pread");
  return partly("pread", size, [&](size_t count) { return real(descriptor, to, count, offset); });
}
ssize_t pread64(int descriptor, void* to, size_t size, off64_t offset) {
  static const auto real = next(&::pread64, "pread64");
  return partly("pread", size, [&](size_t count) { return real(descriptor, to, count, offset); });
}
ssize_t write(int descriptor, const void* from, size_t size) {
  static const auto real = next(&::write, "write");
  return partly("write", size, [&](size_t count) { return real(descriptor, from, count); });
}
ssize_t pwrite(int descriptor, const void* from, size_t size, off_t offset) {
  static const auto real = next(&::pwrite, "pwrite");
  return partly("pwrite", size, [&](size_t count) { return real(descriptor, from, count, offset); });
}
ssize_t pwrite64(int descriptor, const void* from, size_t size, off64_t offset) {
  static const auto real = next(&::pwrite64, "pwrite64");
  return partly("pwrite", size, [&](size_t count) { return real(descriptor, from, count, offset); });
}
ssize_t writev(int descriptor, const iovec* parts, int count) {
  static const auto real = next(&::writev, "writev");
  return partly("writev", parts, count, [&](const iovec* p, int n) { return real(descriptor, p, n); });
}
ssize_t pwritev(int descriptor, const iovec* parts, int count, off_t offset) {
  static const auto real = next(&::pwritev, "pwritev");
  return partly("pwritev", parts, count, [&](const iovec* p, int n) { return real(descriptor, p, n, offset); });
}
ssize_t pwritev64(int descriptor, const iovec* parts, int count, off64_t offset) {
  static const auto real = next(&::pwritev64, "pwritev64");
  return partly("pwritev", parts, count, [&](const iovec* p, int n) { return real(descriptor, p, n, offset); });
}

int fallocate(int descriptor, int mode, off_t offset, off_t size) {
  static const auto real = next(&::fallocate, "fallocate");
  return whole("fallocate", [&] { return real(descriptor, mode, offset, size); });
}
int fallocate64(int descriptor, int mode, off64_t offset, off64_t size) {
  static const auto real = next(&::fallocate64, "fallocate64");
  return whole("fallocate", [&] { return real(descriptor, mode, offset, size); });
}
int ftruncate(int descriptor, off_t size) noexcept {
  static const auto real = next(&::ftruncate, "ftruncate");
  return whole("ftruncate", [&] { return real(descriptor, size); });
}
int ftruncate64(int descriptor, off64_t size) noexcept {
  static const auto real = next(&::ftruncate64, "ftruncate64");
  return whole("ftruncate", [&] { return real(descriptor, size); });
}
int sync_file_range(int descriptor, off64_t offset, off64_t size, unsigned flags) {
  static const auto real = next(&::sync_file_range, "sync_file_range");
  return whole("sync_file_range", [&] { return real(descriptor, offset, size, flags); });
}
int fsync(int descriptor) {
  static const auto real = next(&::fsync, "fsync");
  return whole(is_directory(descriptor) ? "fsync directory" : "fsync", [&] { return real(descriptor); });
}
int fdatasync(int descriptor) {
  static const auto real = next(&::fdatasync, "fdatasync");
  return whole("fdatasync", [&] { return real(descriptor); });
}
int fchmod(int descriptor, mode_t mode) noexcept {
  static const auto real = next(&::fchmod, "fchmod");
  return whole("fchmod", [&] { return real(descriptor, mode); });
}

int rename(const char* from, const char* to) noexcept {
  static const auto real = next(&::rename, "rename");
  return whole("rename", [&] { return real(from, to); });
}
int renameat(int from_directory, const char* from, int to_directory, const char* to) noexcept {
  static const auto real = next(&::renameat, "renameat");
  is_in_place = true;
  return whole("rename", [&] { return real(from_directory, from, to_directory, to); });
}
int unlink(const char* path) noexcept {
  static const auto real = next(&::unlink, "unlink");
  return whole("unlink", [&] { return real(path); });
}
int unlinkat(int directory, const char* path, int flags) noexcept {
  static const auto real = next(&::unlinkat, "unlinkat");
  return whole("unlink", [&] { return real(directory, path, flags); });
}
ssize_t readlink(const char* path, char* to, size_t size) noexcept {
  static const auto real = next(&::readlink, "readlink");
  return whole("readlink", [&] { return real(path, to, size); });
}

int fstat(int descriptor, struct stat* to) noexcept {
  static const auto real = next(&::fstat, "fstat");
  return whole("fstat", [&] { return real(descriptor, to); });
}
int fstat64(int descriptor, struct stat64* to) noexcept {
  static const auto real = next(&::fstat64, "fstat64");
  return whole("fstat", [&] { return real(descriptor, to); });
}
int fstatat(int directory, const char* path, struct stat* to, int flags) noexcept {
  static const auto real = next(&::fstatat, "fstatat");
  return whole("fstatat", [&] { return real(directory, path, to, flags); });
}
int fstatat64(int directory, const char* path, struct stat64* to, int flags) noexcept {
  static const auto real = next(&::fstatat64, "fstatat64");
  return whole("fstatat", [&] { return real(directory, path, to, flags); });
}
int fstatfs(int descriptor, struct statfs* to) noexcept {
  static const auto real = next(&::fstatfs, "fstatfs");
  return whole("fstatfs", [&] { return real(descriptor, to); });
}
int fstatfs64(int descriptor, struct statfs64* to) noexcept {
  static const auto real = next(&::fstatfs64, "fstatfs64");
  return whole("fstatfs", [&] { return real(descriptor, to); });
}

DIR* opendir(const char* path) {
  static const auto real = next(&::opendir, "opendir");
  return judge("opendir") == outcome::fail ? nullptr : real(path);
}
dirent* readdir(DIR* from) {
  static const auto real = next(&::readdir, "readdir");
  return judge("readdir") == outcome::fail ? nullptr : real(from);
}
dirent64* readdir64(DIR* from) {
  static const auto real = next(&::readdir64, "readdir64");
  return judge("readdir") == outcome::fail ? nullptr : real(from);
}
int mkdir(const char* path, mode_t mode) noexcept {
  static const auto real = next(&::mkdir, "mkdir");
  return whole("mkdir", [&] { return real(path, mode); });
}
int flock(int descriptor, int operation) noexcept {
  static const auto real = next(&::flock, "flock");
  return whole("flock", [&] { return real(descriptor, operation); });
}

void* mmap(void* address, size_t size, int protection, int flags, int descriptor, off_t offset) noexcept {
  static const auto real = next(&::mmap, "mmap");
  return whole("mmap", [&] { return real(address, size, protection, flags, descriptor, offset); });
}
void* mmap64(void* address, size_t size, int protection, int flags, int descriptor, off64_t offset) noexcept {
  static const auto real = next(&::mmap64, "mmap64");
  return whole("mmap", [&] { return real(address, size, protection, flags, descriptor, offset); });
}
int madvise(void* address, size_t size, int advice) noexcept {
  static const auto real = next(&::madvise, "madvise");
  return whole("madvise", [&] { return real(address, size, advice); });
}
int getentropy(void* to, size_t size) {
  static const auto real = next(&::getentropy, "getentropy");
  return whole("getentropy", [&] { return real(to, size); });
}

int pthread_create(pthread_t* made, const pthread_attr_t* how, void* (*start)(void*), void* of) noexcept {
  static const auto real = next(&::pthread_create, "pthread_create");
  if (armed.load() && first_thread_missing > 0 && ++threads >= first_thread_missing) return EAGAIN;
  return real(made, how, start, of);
}

int socketpair(int domain, int type, int protocol, int ends[2]) noexcept {
  static const auto real = next(&::socketpair, "socketpair");
  return whole("socketpair", [&] { return real(domain, type, protocol, ends); });
}
ssize_t send(int socket, const void* from, size_t size, int flags) {
  static const auto real = next(&::send, "send");
  return whole("send", [&] { return real(socket, from, size, flags); });
}
ssize_t recv(int socket, void* to, size_t size, int flags) {
  static const auto real = next(&::recv, "recv");
  return whole("recv", [&] { return real(socket, to, size, flags); });
}
int poll(pollfd* what, nfds_t count, int timeout) {
  static const auto real = next(&::poll, "poll");
  return whole("poll", [&] { return real(what, count, timeout); });
}
int waitid(idtype_t type, id_t which, siginfo_t* how, int options) {
  static const auto real = next(&::waitid, "waitid");
  return whole("waitid", [&] { return real(type, which, how, options); });
}

/// Of those without a function of their own; the C++ library calls it, too.
long syscall(long number, ...) noexcept {
  long given[6];
  va_list arguments;
  va_start(arguments, number);
  for (long& each : given) each = va_arg(arguments, long);
  va_end(arguments);
  static const auto real = next(&::syscall, "syscall");
  const auto call = [&] { return real(number, given[0], given[1], given[2], given[3], given[4], given[5]); };
  switch (number) {
    case SYS_clone: return whole("clone", call);
    case SYS_close_range: return whole("close_range", call);
    case SYS_pidfd_open: return whole("pidfd_open", call);
    case SYS_pidfd_send_signal: return whole("pidfd_send_signal", call);
    default: return call();
  }
}

}  // extern "C"
