#include <ckpt/format/detect.hpp>

#include <doctest/doctest.h>

#include <string>

#include "ckpt_file.hpp"

using namespace ckpt;
using namespace std::string_literals;

namespace {

/// The format that a file is taken for and read as, or the error.
std::string detected(std::string_view bytes, const std::string& label = "f") {
  try {
    const file_index index = read_index(memory_source(support::bytes(bytes), label));
    return std::string(index.format()) + " " + std::to_string(index.size());
  } catch (const format_error& e) {
    return e.what();
  }
}

std::string safetensors_file(std::string_view header, std::string_view data = {}) {
  std::string file;
  for (unsigned shift = 0; shift < 64; shift += 8) file += static_cast<char>(std::uint64_t{header.size()} >> shift);
  return file.append(header).append(data);
}

const std::string one_byte = R"({"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";

}  // namespace

TEST_CASE("detect: by the first bytes, whatever the name says") {
  CHECK(detected(ckpt_file::int8("a", "1")) == "ckpt 1");
  CHECK(detected(ckpt_file::int8("a", "1"), "model.safetensors") == "ckpt 1");
  CHECK(detected(safetensors_file(one_byte, "x")) == "safetensors 1");
  CHECK(detected(safetensors_file(one_byte, "x"), "model.ckpt") == "safetensors 1");
  CHECK(detected(safetensors_file("{}      ")) == "safetensors 0");
  CHECK(detected(safetensors_file("{ }")) == "safetensors 0");
  CHECK(detected(safetensors_file("{}" + std::string(638, ' '))) == "safetensors 0");  // 640 bytes: as a pickle begins
}

TEST_CASE("detect: nothing at all is an empty ckpt file, by its name a broken safetensors file") {
  CHECK(detected("") == "ckpt 0");
  CHECK(detected("", "model.ckpt") == "ckpt 0");
  CHECK(detected("", "model.safetensors") ==
        "model.safetensors: a safetensors file begins with the 8 bytes of its header's length; this one has 0, at byte "
        "0");
}

TEST_CASE("detect: what starts like neither is taken for what its name says") {
  CHECK(detected("hello world, a text", "notes.safetensors").starts_with("notes.safetensors: the header's length is "));
  CHECK(
      detected("\x0f", "notes.txt") ==
      "notes.txt: this is neither a ckpt nor a safetensors file; read as ckpt: wire type 7 does not exist, at byte 0");
  CHECK(detected("\n0f", "notes.txt") ==
        "notes.txt: field 1 says it has 48 bytes where 1 are left: it was cut short or damaged, at byte 0");
}

TEST_CASE("detect: ckpt files that begin with other fields than a value") {
  CHECK(detected(ckpt_file::bytes(1000, "") + ckpt_file::int8("a", "1")) == "ckpt 1");
  CHECK(detected("crc_num\0\0\0\0\0\0\0\0\0\0"s) == "ckpt 0");
}

TEST_CASE("detect: of a file that begins with another field, what is wrong with an entry is told of a ckpt file") {
  const std::string begin = ckpt_file::bytes(7, "x");
  CHECK(detected(begin + ckpt_file::value("n1", ckpt_file::bytes(2, "Int8"))) ==
        "f: tensor \"n1\": tensor_content is missing, at byte 3");
  CHECK(detected(begin + ckpt_file::value("", ckpt_file::bytes(2, "Int8"))) ==
        "f: tensor \"\": tensor_content is missing, at byte 3");
  CHECK(detected(begin + ckpt_file::bytes(1, "")) ==
        "f: this is neither a ckpt nor a safetensors file; read as ckpt: a value has no tag, so its tensor has no "
        "name, at byte 3");
}

TEST_CASE("detect: bytes that a reader of ckpt passes over are no checkpoint") {
  CHECK(detected(ckpt_file::bytes(1000, "text")) ==
        "f: this is neither a ckpt nor a safetensors file; read as ckpt: it holds nothing that is known of one");
}

TEST_CASE("detect: a file of another kind is told by name, whatever its own") {
  const std::string neither = ": this is neither a ckpt nor a safetensors file, but ";
  CHECK(detected("PK\x03\x04 and so on", "model.ckpt") ==
        "model.ckpt" + neither + "a zip archive, as those of PyTorch (.pt, .pth, .bin) and NumPy (.npz) are");
  CHECK(detected("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a", "model.safetensors") ==
        "model.safetensors" + neither + "a Git LFS pointer to a file: fetch that with `git lfs pull`");
  const std::string hdf5 = "\x89HDF\r\n\x1a\n00000000";  // which a reader of ckpt would pass over
  CHECK(detected(hdf5) == "f" + neither + "an HDF5 file, as Keras writes it");
  const auto e = support::error_of<format_error>([&] { (void)read_index(memory_source(support::bytes(hdf5))); });
  CHECK(e.code() == errc::unsupported);
}

TEST_CASE("detect: a name that begins as the header of safetensors would") {
  CHECK(detected(ckpt_file::int8("\0\0\0\0{"s, "1")) == "ckpt 1");
  CHECK(detected(ckpt_file::int8("\0\0\0\0"s, "1")) == "ckpt 1");
}

TEST_CASE("detect: an encrypted file is told by its magic number") {
  const std::string how = " of <ckpt/crypto.hpp> and its key";
  CHECK(detected("\xd8\x5e\x3a\x7f and so on"s) ==
        "f: the file is encrypted with AES-GCM: load it with ckpt::aes_gcm" + how);
  CHECK(detected("\xd9\x5e\x3a\x7f and so on"s) ==
        "f: the file is encrypted with AES-CBC: load it with ckpt::aes_cbc" + how);
  CHECK(detected("\xda\x5e\x3a\x7f"s, "a.safetensors") ==
        "a.safetensors: the file is encrypted with SM4-CBC: load it with ckpt::sm4_cbc" + how);
  const std::string file = "\xd8\x5e\x3a\x7f";
  const auto e = support::error_of<format_error>([&] { (void)read_index(memory_source(support::bytes(file))); });
  CHECK(e.code() == errc::encrypted);
  CHECK(e.path() == "<memory>");
}
