#include <ckpt/cipher/structure.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "../support.hpp"

using namespace ckpt;
using support::bytes;

namespace {

std::string read(const source& from, std::uint64_t offset, std::size_t size) {
  std::vector<std::byte> to(size, std::byte{'?'});
  from.read(offset, to);
  return support::text(to);
}

}  // namespace

TEST_CASE("structure: its bytes") {
  structure_writer writer;
  writer.keep(bytes("head"));
  writer.keep(bytes("er"));
  writer.leave_out(300);
  writer.leave_out(1);
  writer.keep(bytes("end"));
  CHECK(writer.size() == 1 + 6 + 2 + 3);
  CHECK(support::hex(writer.finish()) == "06" + support::hex("header") + "ad02" + "03" + support::hex("end") + "00");
  CHECK(structure_writer().finish().empty());
}

TEST_CASE("structure: every part of the file it describes, zeros in place of what was left out") {
  structure_writer writer;
  writer.keep(bytes("first"));
  writer.leave_out(4);
  writer.keep(bytes("second"));
  writer.leave_out(7);
  const std::vector<std::byte> structure = writer.finish();
  const structure_source source(structure, "f");
  const std::string whole = "first" + std::string(4, '\0') + "second" + std::string(7, '\0');
  CHECK(source.size() == whole.size());
  for (std::size_t begin = 0; begin <= whole.size(); ++begin)
    for (std::size_t size = 0; begin + size <= whole.size(); ++size)
      CHECK(read(source, begin, size) == whole.substr(begin, size));
  CHECK(support::message_of<format_error>([&] { read(source, 20, 3); }) ==
        "f: ends too early: 3 bytes needed, 2 left, at byte 20");
}

TEST_CASE("structure: one that begins with what is left out") {
  structure_writer writer;
  writer.leave_out(2);
  writer.keep(bytes("x"));
  const std::vector<std::byte> structure = writer.finish();
  const structure_source source(structure, "f");
  CHECK(read(source, 0, 3) == std::string("\0\0x", 3));
}

TEST_CASE("structure: what is none") {
  const auto refused = [](const std::string& hex) {
    const std::string raw = support::unhex(hex);
    return support::message_of<format_error>([&] { structure_source(bytes(raw), "f"); });
  };
  const std::string why = "f: the structure in the seal cannot be read";
  CHECK(refused("05 61 00") == why);                 // fewer bytes than it says
  CHECK(refused("01 61") == why);                    // no end of the run
  CHECK(refused("80") == why);                       // half a varint
  CHECK(refused("00 ffffffffffffffffff01") == why);  // past 2^63
}
