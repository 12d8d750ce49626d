#include <ckpt/checkpoint/verify_checksum.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <ckpt/checksum/crc32.hpp>
#include <ckpt/checksum/crc32_cryptopp.hpp>
#include <ckpt/ckpt.hpp>

#include "../checksum/implementations.hpp"
#include "../checksum/own_checksum.hpp"
#include "../io/scratch.hpp"
#include "../io/unmapped_source.hpp"

using namespace ckpt;
using namespace std::string_literals;

namespace {

template <class Checksum = crc32>
void verify(const source& from, bool allow_absent = false) {
  verify_checksum<Checksum>(from, read_index(from), allow_absent);
}

/// "fine", or why not; the same from memory and by reading.
template <class Checksum = crc32>
std::string verified(const std::string& file, bool allow_absent = false) {
  const auto message = [&](const source& from) -> std::string {
    try {
      verify<Checksum>(from, allow_absent);
    } catch (const integrity_error& e) {
      CHECK(e.code() == errc::checksum);
      return e.what();
    }
    return "fine";
  };
  const std::string read = message(support::unmapped_source(support::bytes(file), "f"));
  CHECK(message(memory_source(support::bytes(file), "f")) == read);
  return read;
}

const std::map<std::string, tensor> net{{"a", tensor({2}, {1.0, 2.0})},
                                        {"b", tensor({3}, {std::uint8_t{1}, std::uint8_t{2}, std::uint8_t{3}})},
                                        {"c", tensor({2}, {std::int64_t{5}, std::int64_t{6}})},
                                        {"step", tensor(shape{}, {std::int64_t{12}})}};

template <class... Policies, class Object>
std::string saved(const Object& object) {
  return support::text(save_bytes<Policies...>(object));
}

/// A safetensors file of one byte `x` named "a", with that crc_num in its metadata.
std::string with_pair(const std::string& number) {
  std::string header =
      R"({"__metadata__":{"crc_num":")" + number + R"("},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";
  std::string length(8, '\0');
  length[0] = static_cast<char>(header.size() & 0xff);
  length[1] = static_cast<char>(header.size() >> 8);
  return length + header + "x";
}

}  // namespace

TEST_CASE("verify_checksum: what was saved is what was saved") {
  for (const std::string& file : {saved<crc32>(net), saved<safetensors, crc32>(net)}) {
    CHECK(verified(file) == "fine");
    CHECK(verified<crc32_cryptopp>(file) == "fine");
    CHECK(verified<support::adler32>(file) != "fine");
  }
  CHECK(verified<support::adler32>(saved<support::adler32>(net)) == "fine");
  CHECK(verified<support::adler32>(saved<safetensors, support::adler32>(net)) == "fine");
  const std::map<std::string, tensor> nothing;
  CHECK(verified(saved<crc32>(nothing)) == "fine");
  CHECK(verified(saved<safetensors, crc32>(nothing)) == "fine");
}

TEST_CASE("verify_checksum: a file of several pieces, from the disk and mapped") {
  const std::map<std::string, tensor> large{{"a", tensor(dtype::uint8, {(5 << 20) + 7})},
                                            {"b", tensor(dtype::float32, {99})}};
  const scratch::directory folder;
  for (const std::string& path :
       {save<crc32>(large, folder / "large").path, save<safetensors, crc32>(large, folder / "large").path}) {
    verify(file_source(path));
    verify(mapped_file(path));
    std::string content = scratch::get(path);
    content[content.size() - 1000] = '!';
    CHECK(verified(content).starts_with("f: the content is not what was written: its crc32 is 0x"));
  }
}

TEST_CASE("verify_checksum: every bit of a ckpt file, and every one of a safetensors file's data and names") {
  const std::string file = saved<crc32>(net);
  const std::string table = saved<safetensors, crc32>(net);
  const std::size_t data = table.size() - 43;
  for (const std::string& good : {file, table})
    for (std::size_t at = 0; at < good.size(); ++at) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 4);
      const bool is_counted = good == file ? at < good.size() - 17 || at >= good.size() - 10 : at >= data;
      std::string found;
      try {
        found = verified(bad);
      } catch (const format_error&) {
        found = "refused";
      }
      if (is_counted) CHECK(found != "fine");
    }
}

TEST_CASE("verify_checksum: both sums are told") {
  std::string file = saved<crc32>(net);
  const std::uint32_t stored = support::crc32_by_bits(file.substr(0, file.size() - 17));
  file[file.find("\0\0\0\0\0\0\xf0\x3f"s)] = '\1';
  const std::uint32_t found = support::crc32_by_bits(file.substr(0, file.size() - 17));
  const memory_source from(support::bytes(file), "f");
  const auto error = support::error_of<integrity_error>([&] { verify(from); });
  CHECK(error.expected() == detail::hexadecimal(stored));
  CHECK(error.found() == detail::hexadecimal(found));
  CHECK(error.what() == "f: the content is not what was written: its crc32 is " + detail::hexadecimal(found) +
                            ", the file says " + detail::hexadecimal(stored));
}

TEST_CASE("verify_checksum: the number in a trailer has ten bytes, and may be one that no checksum is") {
  std::string file = saved<crc32>(std::map<std::string, tensor>());
  CHECK(verified(file) == "fine");
  file[7] = '\x12';
  CHECK(verified(file) ==
        "f: the content is not what was written: its crc32 is 0x00000000, the file says 0x12000000000000000000");
  file = "crc_num\0\0\0\0\0\1\0\0\0\0"s;
  CHECK(verified(file) ==
        "f: the content is not what was written: its crc32 is 0x00000000, the file says 0x0100000000");
  file = "crc_num\0\0\0\0\0\0\0\0\0\1"s;
  CHECK(verified(file) == "f: the content is not what was written: its crc32 is 0x00000000, the file says 0x00000001");
}

TEST_CASE("verify_checksum: the number in the metadata, and what is none") {
  const std::uint32_t sum = support::crc32_by_bits("ax");
  const std::string differs =
      "f: the content is not what was written: its crc32 is " + detail::hexadecimal(sum) + ", the file says ";
  CHECK(verified(with_pair(std::to_string(sum))) == "fine");
  CHECK(verified(with_pair("00" + std::to_string(sum))) == "fine");
  CHECK(verified(with_pair("7")) == differs + "0x00000007");
  CHECK(verified(with_pair(std::to_string(sum + (std::uint64_t{1} << 32)))) ==
        differs + std::to_string(sum + (std::uint64_t{1} << 32)));
  CHECK(verified(with_pair("99999999999999999999999")) == differs + "99999999999999999999999");
  for (const std::string none : {"", "abc", "-1", "+1", " 1", "1 ", "0x1"})
    CHECK(verified(with_pair(none)) == "f: the checksum in its metadata, \"crc_num\", is no number: \"" + none + "\"");
  CHECK(verified(with_pair(std::string(70, 'x'))) ==
        "f: the checksum in its metadata, \"crc_num\", is no number: \"" + std::string(64, 'x') + "...\"");
}

TEST_CASE("verify_checksum: a file without one, and a file that was cut between two tensors") {
  const std::string none =
      "f: the file has no checksum, which may mean that it was cut between two of its tensors; to load it all the "
      "same, "
      "say .allow_no_checksum = true";
  for (const std::string& file : {saved(net), saved<safetensors>(net), std::string()}) {
    CHECK(verified(file) == none);
    CHECK(verified(file, true) == "fine");
  }
  const std::string whole = saved<crc32>(net);
  CHECK(verified(whole.substr(0, whole.size() - 17)) == none);
  CHECK(verified(whole, true) == "fine");
}

TEST_CASE("verify_checksum: a content that ends like a checksum is content") {
  const std::string text = "crc_num0000000001";
  std::map<std::string, tensor> tail;
  tail.emplace("w", tensor(dtype::uint8, {17}));
  for (std::size_t i = 0; i < 17; ++i) tail.at("w").bytes()[i] = static_cast<std::byte>(text[i]);
  CHECK(verified(saved<crc32>(tail)) == "fine");
  CHECK(verified(saved(tail)).starts_with("f: the file has no checksum"));
}

TEST_CASE("load: verifies the checksum that it is told of, and reports one that it is not") {
  const scratch::directory folder;
  const std::string path = folder / "net.ckpt";
  save<crc32>(net, path, {.permissions = 0600});
  for (const ckpt::read how : {ckpt::read::map, ckpt::read::copy}) {
    CHECK(load<crc32>(path, {.read = how}).has_checksum());
    CHECK(load(path, {.read = how}).has_checksum());
  }
  CHECK(load<crc32>(path, {.choose = [](std::string_view) { return false; }}).empty());
  std::string bytes = scratch::get(path);
  bytes[bytes.size() - 20] = static_cast<char>(bytes[bytes.size() - 20] ^ 1);
  scratch::put(path, bytes);
  CHECK(support::message_of<integrity_error>([&] {
          static_cast<void>(load<crc32>(path));
        }).starts_with(path + ": the content is not what was written: its crc32 is 0x"));
  std::map<std::string, tensor> filled = net;
  for (auto& [name, each] : filled) std::fill(each.bytes().begin(), each.bytes().end(), std::byte{});
  const auto as_before = filled;
  CHECK_THROWS_AS(load_into<crc32>(path, filled), integrity_error);
  CHECK(save_bytes(filled) == save_bytes(as_before));  // nothing is filled before the checksum is verified
  CHECK(load(path).size() == net.size());              // not asked
  const std::vector<std::byte> none = save_bytes(net);
  CHECK(support::error_of<integrity_error>([&] { static_cast<void>(load<crc32>(none)); }).code() == errc::checksum);
  CHECK(load<crc32>(none, {.allow_no_checksum = true}).size() == net.size());
  CHECK(!load(none).has_checksum());
  CHECK(load<safetensors, crc32>(save_bytes<crc32, safetensors>(net)).has_checksum());
}
