#ifndef CKPT_IO_ABANDONED_TEMPORARIES_HPP
#define CKPT_IO_ABANDONED_TEMPORARIES_HPP

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>

#include <ckpt/core/concat.hpp>
#include <ckpt/core/function_ref.hpp>
#include <ckpt/io/directory.hpp>
#include <ckpt/io/file_descriptor.hpp>
#include <ckpt/io/list_directory.hpp>
#include <ckpt/io/system_call.hpp>
#include <ckpt/io/temporary_name.hpp>

namespace ckpt {

/// Removes the temporary files that atomic_file has left in a directory because its process died: those that nobody has
/// locked, of targets that `belongs` says yes to. A file that cannot be locked or removed stays, without a word: it is
/// as good as in use. Returns how many are gone. Throws io_error where the directory cannot be read.
inline std::size_t remove_abandoned_temporaries(const std::string& path, function_ref<bool(std::string_view)> belongs) {
  std::size_t removed = 0;
  const directory opened(path, directory::use::without_sync, path);
  for (const std::string& name : list_directory(path)) {
    const std::string_view target = target_of_temporary(name);
    if (target.empty() || !belongs(target)) continue;
    std::string whole = concat({path, "/", name});
    const int descriptor =
        uninterrupted([&] { return ::open(whole.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK); });
    const file_descriptor file(descriptor, std::move(whole));
    // Held while the name goes: who makes such a file locks it, and could otherwise do so in between.
    if (descriptor >= 0 && !file.try_lock() && !opened.remove(name)) ++removed;
  }
  return removed;
}

}  // namespace ckpt

#endif
