#include <ckpt/tensor/packed.hpp>

#include <doctest/doctest.h>

#include <type_traits>

using namespace ckpt;

namespace {

/// One byte, copied like one, and compared by its bits.
template <class T>
constexpr bool is_one_byte() {
  static_assert(sizeof(T) == 1 && alignof(T) == 1 && std::is_trivially_copyable_v<T>);
  return T{} == T{0} && T{0x7f} == T{0x7f} && T{0x7f} != T{0xff} && T{0x80}.bits == 0x80;
}

}  // namespace

TEST_CASE("packed types: a byte each, that is handed on as it is") {
  CHECK(is_one_byte<int4x2>());
  CHECK(is_one_byte<float8_e4m3>());
  CHECK(is_one_byte<float8_e5m2>());
  CHECK(is_one_byte<float8_e8m0>());
  CHECK(is_one_byte<float8_e4m3fnuz>());
  CHECK(is_one_byte<float8_e5m2fnuz>());
}

TEST_CASE("packed types: do not become each other or numbers by accident") {
  CHECK(!std::is_convertible_v<float8_e4m3, float8_e5m2>);
  CHECK(!std::is_convertible_v<float8_e4m3, float>);
  CHECK(!std::is_convertible_v<int4x2, int>);
}
