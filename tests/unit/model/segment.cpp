#include <ckpt/model/segment.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

#include "../support.hpp"

using namespace ckpt;

namespace {

std::string copied(const segment& from, std::uint64_t offset, std::size_t size) {
  std::vector<std::byte> to(size);
  from.copy_to(offset, to);
  return support::text(to);
}

}  // namespace

TEST_CASE("segment: bytes where they lie") {
  const segment s = support::bytes("abcdef");
  CHECK(s.size() == 6);
  CHECK(!s.is_gathered());
  CHECK(support::text(s.bytes()) == "abcdef");
  CHECK(copied(s, 2, 3) == "cde");
  CHECK(copied(s, 6, 0).empty());
}

TEST_CASE("segment: nothing") {
  const segment s = std::span<const std::byte>();
  CHECK(s.size() == 0);
  CHECK(s.bytes().empty());
  CHECK(copied(s, 0, 0).empty());
}

TEST_CASE("segment: the content of a strided tensor, from some byte on") {
  const std::array<std::uint16_t, 6> m{1, 2, 3, 4, 5, 6};
  const tensor_view view = tensor_view::strided(dtype::uint16, {3}, m.data(), {2});
  const gather all{&view, 0};
  const gather rest{&view, 2};
  const segment whole(all, 6);
  CHECK(whole.size() == 6);
  CHECK(whole.is_gathered());
  CHECK(whole.bytes().empty());
  CHECK(whole.origin().view == &view);
  CHECK(support::hex(copied(whole, 0, 6)) == "010003000500");
  CHECK(support::hex(copied(segment(rest, 4), 0, 4)) == "03000500");
  CHECK(support::hex(copied(segment(rest, 4), 2, 2)) == "0500");
}

TEST_CASE("segment: what a source has, read only when it is copied") {
  std::string content = "abcdef";
  const memory_source source(support::bytes(content), "f");
  const gather from{nullptr, 2, &source};
  const segment s(from, 3);
  CHECK(s.size() == 3);
  CHECK(s.is_gathered());
  CHECK(s.bytes().empty());
  content[3] = 'x';
  CHECK(copied(s, 0, 3) == "cxe");
  CHECK(copied(s, 1, 1) == "x");
  const segment past(from, 5);
  CHECK(support::message_of<format_error>([&] { (void)copied(past, 0, 5); }) ==
        "f: ends too early: 5 bytes needed, 4 left, at byte 2");
}

TEST_CASE("segment: sizes up to 2^62 - 1 beside the marks of a gathered one") {
  constexpr std::uint64_t most = ~std::uint64_t{0} >> 2;
  const float value = 0;
  const tensor_view view = tensor_view::strided(dtype::uint8, {static_cast<std::int64_t>(most)}, &value, {0});
  const gather from{&view, 0};
  CHECK(segment(from, most).size() == most);
  CHECK(segment(from, most).is_gathered());
  CHECK(!segment(from, most).is_content());
  CHECK(segment(from, most).as_content().is_content());
  CHECK(segment(from, most).as_content().is_gathered());
}
