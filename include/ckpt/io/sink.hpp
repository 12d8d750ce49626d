#ifndef CKPT_IO_SINK_HPP
#define CKPT_IO_SINK_HPP

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

namespace ckpt {

/// Where the bytes of a checkpoint go, in order.
///
/// | expression       | must                                                                       |
/// |------------------|----------------------------------------------------------------------------|
/// | `s.write(bytes)` | take all of `bytes`, a `std::span<const std::byte>`, before it returns, or throw |
template <class Sink>
concept sink = requires(Sink& s, std::span<const std::byte> bytes) { s.write(bytes); };

/// A sink that also takes bytes in any order, from any number of threads at a time.
///
/// | expression                  | must                                                                          |
/// |-----------------------------|-------------------------------------------------------------------------------|
/// | `s.write_at(offset, bytes)` | put `bytes` there before it returns, or throw; nobody puts two in one place   |
template <class Sink>
concept placing_sink = sink<Sink> && requires(Sink& s, std::uint64_t offset, std::span<const std::byte> bytes) {
  s.write_at(offset, bytes);
};

/// A sink that takes back what it was given.
///
/// | expression                 | must                                                                           |
/// |----------------------------|--------------------------------------------------------------------------------|
/// | `s.overwrite(back, bytes)` | put `bytes` in place of as many that were written, the first of which is       |
/// |                            | `back` bytes before the end of all that was written                            |
template <class Sink>
concept overwriting_sink =
    sink<Sink> && requires(Sink& s, std::uint64_t back, std::span<const std::byte> bytes) { s.overwrite(back, bytes); };

/// Appends to a vector, with whatever allocator. Throws what the vector throws when memory runs out.
template <class Allocator = std::allocator<std::byte>>
class memory_sink {
 public:
  explicit memory_sink(std::vector<std::byte, Allocator>& to) noexcept : m_to(&to) {}

  void write(std::span<const std::byte> bytes) { m_to->insert(m_to->end(), bytes.data(), bytes.data() + bytes.size()); }

  void overwrite(std::uint64_t back, std::span<const std::byte> bytes) noexcept {
    if (!bytes.empty()) std::memcpy(m_to->data() + (m_to->size() - back), bytes.data(), bytes.size());
  }

 private:
  std::vector<std::byte, Allocator>* m_to;
};

}  // namespace ckpt

#endif
