#include <ckpt/format/plan.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

#include "planned.hpp"

using namespace ckpt;

namespace {

void put(plan& to, std::string_view text) {
  const std::span<std::byte> bytes = to.add_owned(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) bytes[i] = static_cast<std::byte>(text[i]);
}

entry entry_of(std::span<const segment> pieces) {
  return {.name = "e",
          .shape = {},
          .size_bytes = 0,
          .whole = std::span<const std::byte>(),
          .several = pieces,
          .type = dtype::uint8,
          .kind = entry_kind::tensor};
}

}  // namespace

TEST_CASE("plan: owned and borrowed bytes, in order") {
  plan p;
  CHECK(p.size() == 0);
  CHECK(p.segments().empty());
  put(p, "head");
  p.add(support::bytes("content"));
  put(p, "tail");
  CHECK(support::planned(p) == "headcontenttail");
  CHECK(p.size() == 15);
  CHECK(p.segments().size() == 3);
}

TEST_CASE("plan: nothing is no segment") {
  plan p;
  p.add(std::span<const std::byte>());
  CHECK(p.add_owned(0).empty());
  CHECK(p.segments().empty());
}

TEST_CASE("plan: what it owns stays where it is, moved or grown") {
  plan p;
  for (int i = 0; i < 3000; ++i) put(p, std::to_string(i) + ",");
  std::string expected;
  for (int i = 0; i < 3000; ++i) expected += std::to_string(i) + ",";
  const std::span<std::byte> kept = p.store(4);
  kept[0] = std::byte{7};
  const plan moved = std::move(p);
  CHECK(support::planned(moved) == expected);
  CHECK(kept[0] == std::byte{7});
}

TEST_CASE("plan: any part of a content in pieces") {
  const std::string content = "abcdefghij";
  const std::span<const std::byte> bytes = support::bytes(content);
  const std::vector<segment> pieces{bytes.first(3), bytes.subspan(3, 1), bytes.subspan(4, 0), bytes.subspan(4)};
  const entry e = entry_of(pieces);
  for (std::size_t begin = 0; begin <= content.size(); ++begin)
    for (std::size_t size = 0; size <= content.size() - begin; ++size) {
      plan p;
      p.add_content(e, begin, size);
      CHECK(support::planned(p) == content.substr(begin, size));
    }
}

TEST_CASE("plan: bytes of a content are borrowed, not copied") {
  const std::string content = "abcdefghij";
  const std::vector<segment> pieces{support::bytes(content)};
  plan p;
  p.add_content(entry_of(pieces), 2, 3);
  CHECK(static_cast<const void*>(p.segments()[0].bytes().data()) == content.data() + 2);
}

TEST_CASE("plan: parts of a strided content") {
  const std::array<std::uint16_t, 8> m{1, 0, 2, 0, 3, 0, 4, 0};
  const tensor_view view = tensor_view::strided(dtype::uint16, {4}, m.data(), {2});
  const gather from{&view, 0};
  const std::vector<segment> pieces{segment(from, 8)};
  plan p;
  p.add_content(entry_of(pieces), 0, 4);
  p.add_content(entry_of(pieces), 4, 4);
  p.add_content(entry_of(pieces), 2, 4);
  CHECK(support::hex(support::planned(p)) ==
        "0100020003000400"
        "02000300");
  const gather rest{&view, 2};
  const std::vector<segment> later{segment(rest, 6)};
  plan q;
  q.add_content(entry_of(later), 2, 4);
  CHECK(support::hex(support::planned(q)) == "03000400");
  CHECK(p.segments()[1].is_gathered());
  CHECK(p.segments()[1].origin().first == 4);
}

TEST_CASE("plan: parts of what a source has") {
  const std::string content = "..abcdefghij";
  const memory_source source(support::bytes(content), "f");
  const gather first{nullptr, 2, &source};
  const gather second{nullptr, 6, &source};
  const std::vector<segment> pieces{segment(first, 4), segment(second, 6)};
  plan p;
  p.add_content(entry_of(pieces), 1, 5);
  CHECK(support::planned(p) == "bcdef");
  CHECK(p.segments().size() == 2);
  CHECK(p.segments()[1].origin().first == 6);
}

TEST_CASE("plan: the content in one piece") {
  const std::string content = "abc";
  entry e = entry_of({});
  e.whole = support::bytes(content);
  plan p;
  p.add_content(e, 1, 2);
  CHECK(support::planned(p) == "bc");
}
