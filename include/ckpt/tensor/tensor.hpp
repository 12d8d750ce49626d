#ifndef CKPT_TENSOR_TENSOR_HPP
#define CKPT_TENSOR_TENSOR_HPP

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <ckpt/core/byte_span.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/io/aligned_memory.hpp>
#include <ckpt/tensor/dtype.hpp>
#include <ckpt/tensor/shape.hpp>
#include <ckpt/tensor/tensor_view.hpp>

namespace ckpt {

/// Elements with their memory: packed, row-major, aligned to 64 bytes, those of a large tensor in huge pages. Copying
/// copies the elements.
class tensor {
 public:
  static constexpr std::size_t alignment = aligned_memory::alignment;

  /// All zeros. Throws usage_error where the shape is not one. (Of braces alone no dtype is made: `tensor({}, {7})` is
  /// a 0-d tensor of value 7.)
  template <std::same_as<dtype> Type>
  tensor(Type type, ckpt::shape extents) : tensor(type, std::move(extents), nullptr) {
    if (!m_memory.bytes().empty()) std::memset(m_memory.bytes().data(), 0, m_memory.bytes().size());
  }

  /// Throws usage_error where the number of values is not what the shape takes.
  template <scalar_range Values>
  tensor(ckpt::shape extents, const Values& values)
      : tensor(std::move(extents), std::data(values), std::size(values)) {}
  template <scalar T>
  tensor(ckpt::shape extents, std::initializer_list<T> values)
      : tensor(std::move(extents), values.begin(), values.size()) {}

  /// Throws usage_error where the number of bytes is not what dtype and shape take, or a bool is neither 0 nor 1.
  [[nodiscard]] static tensor from_bytes(dtype type, ckpt::shape extents, sequence<std::byte> bytes) {
    if (type == dtype::boolean)
      for (const std::byte value : bytes)
        if (value > std::byte{1}) throw usage_error(errc::malformed, {}, "a bool is neither 0 nor 1");
    return tensor(type, tensor_view(type, std::move(extents), bytes).shape(), bytes.data());
  }

  tensor(const tensor& other) : tensor(other.m_type, other.m_shape, other.m_memory.bytes().data()) {}
  tensor(tensor&& other) noexcept
      : m_shape(std::move(other.m_shape)), m_memory(std::move(other.m_memory)), m_type(other.m_type) {
    other.m_shape = ckpt::shape{0};
  }
  tensor& operator=(tensor other) noexcept {
    m_shape = std::move(other.m_shape);
    m_memory = std::move(other.m_memory);
    m_type = other.m_type;
    return *this;
  }
  ~tensor() = default;

  [[nodiscard]] dtype type() const noexcept { return m_type; }
  [[nodiscard]] const ckpt::shape& shape() const noexcept { return m_shape; }
  [[nodiscard]] byte_span bytes() & noexcept { return m_memory.bytes(); }
  [[nodiscard]] sequence<std::byte> bytes() const& noexcept { return m_memory.bytes(); }

  /// The elements. Throws mismatch_error where T is not the tensor's element type.
  template <scalar T>
  [[nodiscard]] std::span<T> as() & {
    check_type(dtype_of<T>);
    return {reinterpret_cast<T*>(bytes().data()), bytes().size() / sizeof(T)};
  }
  template <scalar T>
  [[nodiscard]] std::span<const T> as() const& {
    check_type(dtype_of<T>);
    return {reinterpret_cast<const T*>(bytes().data()), bytes().size() / sizeof(T)};
  }

  operator tensor_view() const& {  // NOLINT(google-explicit-constructor)
    return tensor_view(m_type, m_shape, bytes());
  }

  // Views of a temporary would outlive its elements.
  sequence<std::byte> bytes() const&& = delete;
  template <scalar T>
  std::span<const T> as() const&& = delete;
  operator tensor_view() const&& = delete;

 private:
  tensor(dtype type, ckpt::shape extents, const std::byte* from) : m_shape(std::move(extents)), m_type(type) {
    const std::optional<std::uint64_t> size = content_size(type, m_shape.extents());
    if (!size)
      throw usage_error(errc::invalid_argument, {},
                        concat({name(type), to_string(m_shape.extents()), " is not a tensor"}));
    m_memory = aligned_memory(static_cast<std::size_t>(*size));
    if (from != nullptr && *size > 0) std::memcpy(m_memory.bytes().data(), from, m_memory.bytes().size());
  }

  template <scalar T>
  tensor(ckpt::shape extents, const T* values, std::size_t count)
      : tensor(dtype_of<T>, tensor_view(std::span(values, count), std::move(extents)).shape(),
               reinterpret_cast<const std::byte*>(values)) {}

  void check_type(dtype asked) const {
    if (asked != m_type)
      throw mismatch_error(errc::dtype_mismatch,
                           {.expected = std::string(name(asked)), .found = std::string(name(m_type))},
                           concat({"the tensor holds ", name(m_type), ", not ", name(asked)}));
  }

  ckpt::shape m_shape;
  aligned_memory m_memory;
  dtype m_type;
};

}  // namespace ckpt

#endif
