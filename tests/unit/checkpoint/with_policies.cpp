#include <ckpt/checkpoint/with_policies.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include <ckpt/format/safetensors.hpp>

#include "../checksum/own_checksum.hpp"
#include "../support.hpp"
#include "own_cipher.hpp"

using namespace ckpt;
using support::message_of;

namespace {

using support::own_cipher;

/// The names of what was chosen.
std::string chosen(std::initializer_list<std::string_view> names) {
  return with_policies<safetensors, own_cipher<'A'>, support::adler32, own_cipher<'B'>>(
      names, []<class... Chosen>(policies<Chosen...>) {
        using set = policy_set<Chosen...>;  // refuses to compile what may not stand together
        static_cast<void>(sizeof(typename set::format));
        std::string all;
        ((all += std::string(Chosen::name) + ";"), ...);
        return all;
      });
}

}  // namespace

TEST_CASE("with_policies: what is named, in any order; nothing is nothing") {
  CHECK(chosen({}) == "");
  CHECK(chosen({"", ""}) == "");
  CHECK(chosen({"A"}) == "A;");
  CHECK(chosen({"B", ""}) == "B;");
  CHECK(chosen({"adler32"}) == "adler32;");
  CHECK(chosen({"safetensors"}) == "safetensors;");
  CHECK(chosen({"safetensors", "adler32"}) == "safetensors;adler32;");
  CHECK(chosen({"adler32", "safetensors"}) == "safetensors;adler32;");
  CHECK(chosen({"ckpt", "A"}) == "A;");
  CHECK(chosen({"ckpt", "adler32"}) == "adler32;");
  CHECK(chosen({"A", "A"}) == "A;");
}

TEST_CASE("with_policies: what may not be chosen") {
  const auto refused = [](std::initializer_list<std::string_view> names) {
    return message_of<usage_error>([&] { chosen(names); });
  };
  CHECK(refused({"C"}) == "there is no policy of the name \"C\" to choose");
  CHECK(refused({"A", "B"}) == "\"A\" and \"B\" exclude each other: a file has one of a kind");
  CHECK(refused({"safetensors", "ckpt"}) ==
        "\"safetensors\" and \"ckpt\" exclude each other: a file has one of a kind");
  CHECK(
      refused({"A", "adler32"}) ==
      "\"A\" and \"adler32\" exclude each other: an encrypted file is sealed, which shows more than a checksum could");
  CHECK(refused({"safetensors", "A"}) == "\"A\" and \"safetensors\" exclude each other: only ckpt files are encrypted");
}

TEST_CASE("with_policies: the callable may return nothing") {
  bool called = false;
  with_policies<support::adler32>({"adler32"}, [&](auto) { called = true; });
  CHECK(called);
}
