#include <ckpt/core/error.hpp>

#include <doctest/doctest.h>

#include <string>
#include <type_traits>

using namespace ckpt;

TEST_CASE("error: path, parameter, text and byte") {
  const error e(errc::malformed, {.path = "model.safetensors", .name = "w", .offset = 8},
                "data_offsets [0,24) do not match F32[2,2] (16 bytes)");
  CHECK(std::string(e.what()) ==
        R"(model.safetensors: tensor "w": data_offsets [0,24) do not match F32[2,2] (16 bytes), at byte 8)");
}

TEST_CASE("error: what does not apply is left out") {
  CHECK(std::string(error(errc::malformed, {}, "text").what()) == "text");
  CHECK(std::string(error(errc::malformed, {.path = "a"}, "text").what()) == "a: text");
  CHECK(std::string(error(errc::malformed, {.name = "w"}, "text").what()) == "tensor \"w\": text");
  CHECK(std::string(error(errc::malformed, {.offset = 0}, "text").what()) == "text, at byte 0");
  CHECK(std::string(error(errc::malformed, {.path = "a", .offset = 18446744073709551615U}, "text").what()) ==
        "a: text, at byte 18446744073709551615");
}

TEST_CASE("error: the noun says what the name names") {
  CHECK(std::string(error(errc::malformed, {.path = "a", .name = "n", .noun = "string"}, "text").what()) ==
        "a: string \"n\": text");
}

TEST_CASE("error: the empty name is a name") {
  CHECK(std::string(error(errc::malformed, {.path = "a", .name = "", .noun = "tensor"}, "text").what()) ==
        "a: tensor \"\": text");
  CHECK(std::string(error(errc::malformed, {.path = "a", .name = ""}, "text").what()) == "a: text");
}

TEST_CASE("error: the facts are there for a program") {
  const error e(errc::shape_mismatch,
                {.path = "a", .name = "w", .offset = 8, .expected = "16 bytes", .found = "24 bytes"}, "text");
  CHECK(e.code() == errc::shape_mismatch);
  CHECK(e.path() == "a");
  CHECK(e.name() == "w");
  CHECK(e.offset() == 8);
  CHECK(e.expected() == "16 bytes");
  CHECK(e.found() == "24 bytes");
  CHECK(!error(errc::system, {}, "text").offset());
}

TEST_CASE("error: facts and text as they were given, to say them again around other words") {
  const format_error inner(errc::malformed, {.path = "a", .name = "w", .offset = 8, .expected = "x"}, "text");
  CHECK(inner.text() == "text");
  const format_error outer(inner.code(), inner.facts(), "read as ckpt: " + inner.text());
  CHECK(std::string(outer.what()) == "a: tensor \"w\": read as ckpt: text, at byte 8");
  CHECK(outer.expected() == "x");
}

TEST_CASE("error: of a long name the message has 200 bytes, name() all") {
  const std::string fits(200, 'n');
  CHECK(std::string(error(errc::malformed, {.name = fits}, "text").what()) == "tensor \"" + fits + "\": text");
  const error longer(errc::malformed, {.name = fits + "n"}, "text");
  CHECK(std::string(longer.what()) == "tensor \"" + fits + "...\": text");
  CHECK(longer.name() == fits + "n");
}

TEST_CASE("error: a long name is cut between two characters") {
  std::string name;
  while (name.size() < 300) name += "\u20ac";  // of 3 bytes
  CHECK(std::string(error(errc::malformed, {.name = name}, "text").what()) ==
        "tensor \"" + name.substr(0, 198) + "...\": text");
}

TEST_CASE("io_error: ends in the reason's own words, and keeps it") {
  const std::error_code full = std::make_error_code(std::errc::no_space_on_device);
  const io_error e(full, {.path = "a.ckpt"}, "cannot reserve 123 bytes");
  CHECK(std::string(e.what()) == "a.ckpt: cannot reserve 123 bytes: No space left on device");
  CHECK(e.code() == errc::system);
  CHECK((e.cause() == std::errc::no_space_on_device));
}

TEST_CASE("io_error: the byte comes last") {
  const io_error e(std::make_error_code(std::errc::io_error), {.path = "a", .offset = 4096}, "cannot read");
  CHECK(std::string(e.what()) == "a: cannot read: Input/output error, at byte 4096");
}

TEST_CASE("errors: each class can be caught by the root, and not by another") {
  static_assert(std::is_base_of_v<std::runtime_error, error>);
  static_assert(std::is_base_of_v<error, io_error> && std::is_base_of_v<error, format_error> &&
                std::is_base_of_v<error, integrity_error> && std::is_base_of_v<error, mismatch_error> &&
                std::is_base_of_v<error, usage_error>);
  static_assert(!std::is_base_of_v<format_error, mismatch_error> && !std::is_base_of_v<usage_error, mismatch_error>);
  CHECK_THROWS_AS(throw format_error(errc::malformed, {}, "text"), error);
  CHECK_THROWS_AS(throw usage_error(errc::invalid_argument, {}, "text"), error);
}

TEST_CASE("error: a copy says the same") {
  const format_error e(errc::truncated, {.path = "a", .name = "w"}, "text");
  const format_error copy = e;  // NOLINT(performance-unnecessary-copy-initialization): the copy is what is tested
  CHECK(std::string(copy.what()) == "a: tensor \"w\": text");
  CHECK(copy.name() == "w");
  CHECK(copy.code() == errc::truncated);
}
