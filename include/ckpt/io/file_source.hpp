#ifndef CKPT_IO_FILE_SOURCE_HPP
#define CKPT_IO_FILE_SOURCE_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include <ckpt/core/byte_span.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/io/file_descriptor.hpp>
#include <ckpt/io/source.hpp>

namespace ckpt {

/// A file that is read by pread: for network disks, and for files that others may cut short meanwhile (an error here,
/// where a mapping would end the process).
class file_source final : public source {
 public:
  /// Opens the file. Throws io_error when it cannot be opened or is a directory, usage_error when it is a pipe, socket
  /// or device.
  explicit file_source(std::string path) : file_source(file_descriptor::open_for_reading(std::move(path))) {}

  [[nodiscard]] std::uint64_t size() const noexcept override { return m_size; }

  void read(std::uint64_t offset, byte_span to) const override {
    require(offset, to.size());
    const std::size_t got = m_file.read_at(offset, to.data(), to.size());
    if (got == to.size()) return;
    throw format_error(
        errc::changed,
        {.path = label(),
         .offset = offset + got,
         .expected = concat({std::to_string(m_size), " bytes"}),
         .found = concat({std::to_string(offset + got), " bytes"})},
        concat({"was cut short by someone else while it was read: it had ", std::to_string(m_size), " bytes"}));
  }

 private:
  explicit file_source(file_descriptor file) : source(file.path()), m_file(std::move(file)), m_size(m_file.size()) {}

  file_descriptor m_file;
  std::uint64_t m_size;
};

}  // namespace ckpt

#endif
