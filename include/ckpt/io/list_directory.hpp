#ifndef CKPT_IO_LIST_DIRECTORY_HPP
#define CKPT_IO_LIST_DIRECTORY_HPP

#include <cerrno>
#include <string>
#include <string_view>
#include <vector>

#include <dirent.h>

#include <ckpt/io/file_descriptor.hpp>
#include <ckpt/io/system_call.hpp>

namespace ckpt {

/// The names in a directory, hidden ones too, in no order. Throws io_error.
[[nodiscard]] inline std::vector<std::string> list_directory(const std::string& path) {
  file_descriptor::refuse_nul(path);
  class stream {
   public:
    explicit stream(const char* name) noexcept : m_stream(::opendir(name)) {}
    stream(const stream&) = delete;
    stream& operator=(const stream&) = delete;
    ~stream() {
      if (m_stream != nullptr) ::closedir(m_stream);
    }
    [[nodiscard]] DIR* get() const noexcept { return m_stream; }

   private:
    DIR* m_stream;
  };

  const stream opened(path.c_str());
  std::vector<std::string> names;
  while (opened.get() != nullptr) {
    errno = 0;
    const dirent* const entry = ::readdir(opened.get());
    if (entry == nullptr) {
      if (errno == 0) return names;
      break;
    }
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  throw_io_error(last_error(), path, "cannot list the directory");
}

}  // namespace ckpt

#endif
