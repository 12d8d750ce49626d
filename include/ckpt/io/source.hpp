#ifndef CKPT_IO_SOURCE_HPP
#define CKPT_IO_SOURCE_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include <ckpt/core/byte_span.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/function_ref.hpp>
#include <ckpt/core/sequence.hpp>

namespace ckpt {

/// The bytes from `offset` on, and where they are to go.
struct read_request {
  std::uint64_t offset = 0;
  byte_span to{};
};

/// Where the bytes of a checkpoint are read from. Its size never changes. Any number of threads may read at the same
/// time.
class source {
 public:
  source(const source&) = delete;
  source& operator=(const source&) = delete;
  virtual ~source() = default;

  /// Bytes in all.
  [[nodiscard]] virtual std::uint64_t size() const noexcept = 0;

  /// Fills `to` with the bytes from `offset` on. Throws format_error where they are not all there (errc::truncated) or
  /// no longer (errc::changed), io_error where the operating system fails; `to` then holds anything.
  virtual void read(std::uint64_t offset, byte_span to) const = 0;

  /// Does all the requests, which are in the order of their offsets and do not overlap. `report(done)` is called on the
  /// calling thread with the bytes read so far, every few megabytes. Throws as read(), and what `report` throws.
  virtual void read_all(sequence<read_request> requests, function_ref<void(std::uint64_t)> report) const {
    constexpr std::size_t piece = std::size_t{8} << 20;  // between two reports
    std::uint64_t done = 0;
    std::uint64_t reported = 0;
    for (const read_request& each : requests)
      for (std::size_t at = 0; at < each.to.size(); at += piece) {
        const std::size_t size = each.to.size() - at < piece ? each.to.size() - at : piece;
        read(each.offset + at, {each.to.data() + at, size});
        done += size;
        if (done - reported < piece) continue;
        reported = done;
        report(done);
      }
  }

  /// All the bytes where they lie in memory, or nullptr for a source that has to be read. Not nullptr when in memory
  /// and empty.
  [[nodiscard]] virtual const std::byte* data() const noexcept { return nullptr; }

  /// Whether it costs more to read in another order than from its first byte to its last.
  [[nodiscard]] virtual bool is_best_in_order() const noexcept { return false; }

  /// What errors call it: the path, or "<memory>".
  [[nodiscard]] const std::string& label() const noexcept { return m_label; }

 protected:
  explicit source(std::string label) noexcept : m_label(std::move(label)) {}

  /// Throws format_error unless `count` bytes from `offset` on lie within size().
  void require(std::uint64_t offset, std::uint64_t count) const {
    const std::uint64_t left = offset < size() ? size() - offset : 0;
    if (count <= left && offset <= size()) return;
    throw format_error(
        errc::truncated,
        {.path = m_label,
         .offset = offset,
         .expected = concat({std::to_string(count), " bytes"}),
         .found = concat({std::to_string(left), " bytes"})},
        concat({"ends too early: ", std::to_string(count), " bytes needed, ", std::to_string(left), " left"}));
  }

 private:
  std::string m_label;
};

/// Bytes that lie in memory. The caller keeps them alive and unchanged for as long as this, and all views made from it,
/// are used.
class memory_source : public source {
 public:
  explicit memory_source(sequence<std::byte> bytes, std::string label = "<memory>") noexcept
      : source(std::move(label)), m_bytes(bytes) {}

  [[nodiscard]] std::uint64_t size() const noexcept override { return m_bytes.size(); }

  void read(std::uint64_t offset, byte_span to) const override {
    require(offset, to.size());
    if (!to.empty()) std::memcpy(to.data(), m_bytes.data() + offset, to.size());
  }

  [[nodiscard]] const std::byte* data() const noexcept override {
    static constexpr std::byte nothing{};
    return m_bytes.data() == nullptr ? &nothing : m_bytes.data();
  }

 private:
  sequence<std::byte> m_bytes;
};

/// The same with bytes that it owns, in a vector or whatever else has data() and size() and leaves them where they are
/// when it is moved.
template <class Bytes>
class owning_source final : public memory_source {
 public:
  explicit owning_source(Bytes&& bytes, std::string label = "<memory>") noexcept
      : memory_source(bytes, std::move(label)), m_owned(std::move(bytes)) {}

 private:
  Bytes m_owned;
};

}  // namespace ckpt

#endif
