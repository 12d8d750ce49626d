#ifndef CKPT_IO_MAPPED_FILE_HPP
#define CKPT_IO_MAPPED_FILE_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include <sys/mman.h>

#include <ckpt/core/byte_span.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/io/file_descriptor.hpp>
#include <ckpt/io/source.hpp>

namespace ckpt {

/// A file mapped into memory, read only, for as long as this lives. Nothing is read before it is touched. Saving over
/// the path, renaming or deleting it leaves the mapping as it was.
///
/// The limit of every mapping: when another program cuts the file short in place (truncate, `cp` over it), touching
/// what is gone ends the process by SIGBUS, and writing into it in place changes what is seen. Where that can happen,
/// or over a network, read by file_source.
class mapped_file final : public source {
 public:
  /// Opens and maps the file. Throws io_error when it cannot be opened or mapped or is a directory, usage_error when it
  /// is a pipe, socket or device.
  explicit mapped_file(std::string path) : mapped_file(file_descriptor::open_for_reading(std::move(path))) {}

  ~mapped_file() override {
    if (m_size != 0) ::munmap(m_address, m_size);
  }

  [[nodiscard]] std::uint64_t size() const noexcept override { return m_size; }

  void read(std::uint64_t offset, byte_span to) const override {
    require(offset, to.size());
    if (!to.empty()) std::memcpy(to.data(), data() + offset, to.size());
  }

  [[nodiscard]] const std::byte* data() const noexcept override {
    static constexpr std::byte nothing{};
    return m_size == 0 ? &nothing : static_cast<const std::byte*>(m_address);
  }

 private:
  // The descriptor is closed on return: a mapping needs none, and programs hold many checkpoints open.
  explicit mapped_file(file_descriptor file) : source(file.path()) {
    const std::uint64_t size = file.size();
    if (size == 0) return;
    if (size > std::numeric_limits<std::size_t>::max() / 2) {
      throw usage_error(errc::unsupported, {.path = label()}, "is larger than the address space: read it by pread");
    }
    void* address = ::mmap(nullptr, static_cast<std::size_t>(size), PROT_READ, MAP_SHARED, file.get(), 0);
    if (address == MAP_FAILED) {
      const std::error_code cause = last_error();
      throw_io_error(cause, label(), concat({"cannot map ", std::to_string(size), " bytes"}));
    }
    m_address = address;
    m_size = static_cast<std::size_t>(size);
  }

  void* m_address = nullptr;
  std::size_t m_size = 0;
};

}  // namespace ckpt

#endif
