#include <ckpt/checksum/concept.hpp>

#include <doctest/doctest.h>

#include "own_checksum.hpp"

using namespace ckpt;

namespace {

struct without_combine {
  static constexpr std::string_view name = "none";
  without_combine() = default;
  explicit without_combine(std::uint32_t) {}
  void update(std::span<const std::byte>) {}
  [[nodiscard]] std::uint32_t value() const { return 0; }
};

}  // namespace

TEST_CASE("checksum_policy: one of the user's, and what is none") {
  CHECK(checksum_policy<support::adler32>);
  CHECK(checksum_policy<support::always<7>>);
  CHECK(!checksum_policy<without_combine>);
  CHECK(!checksum_policy<int>);
}
