#include <ckpt/format/mindspore_writer.hpp>

#include <doctest/doctest.h>

#include <complex>
#include <functional>
#include <string>
#include <vector>

#include <ckpt/format/mindspore_reader.hpp>
#include <ckpt/tensor/tensor.hpp>

#include <sys/mman.h>

#include "planned.hpp"

using namespace ckpt;
using namespace std::string_literals;

namespace {

entries nothing() { return {"f", duplicates::refuse, {}}; }

std::string file_of(const entries& given, std::uint64_t align = 0) {
  return support::planned(mindspore_writer(given, {.align = align}).make_plan());
}

/// The file with this one tensor, named "a".
std::string file_of(const tensor& t, std::uint64_t align = 0) {
  entries all = nothing();
  all.add_tensor("a", t);
  return file_of(all, align);
}
std::string hex_of(const tensor& t) { return support::hex(file_of(t)); }

/// The file with this one string.
std::string file_of_text(std::string_view name, std::string_view text, std::uint64_t align = 0) {
  entries all = nothing();
  all.add_string(name, text);
  return file_of(all, align);
}

std::string refused(const entries& given) {
  return support::message_of<usage_error>([&] { (void)mindspore_writer(given, {}).make_plan(); });
}

file_index index_of(std::string_view file) {
  return mindspore_reader(memory_source(support::bytes(file), "f"), "ckpt").read();
}

template <class T>
tensor zero_d(T value) {
  return tensor(shape{}, {value});
}

std::string repeated(std::string_view text, std::size_t count) {
  std::string out;
  for (; count > 0; --count) out += text;
  return out;
}

/// Zeros that take no memory until they are looked at.
class sparse_zeros {
 public:
  explicit sparse_zeros(std::size_t size)
      : m_size(size), m_first(::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {
    REQUIRE(m_first != MAP_FAILED);
  }
  sparse_zeros(const sparse_zeros&) = delete;
  sparse_zeros& operator=(const sparse_zeros&) = delete;
  ~sparse_zeros() { ::munmap(m_first, m_size); }
  [[nodiscard]] std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(m_first), m_size}; }

 private:
  std::size_t m_size;
  void* m_first;
};

/// The segments: `0a03…` for owned ones, `@OFFSET+SIZE` for those within `data`.
std::string layout(const plan& made, std::span<const std::byte> data) {
  std::string out;
  for (const segment& next : made.segments()) {
    const std::span<const std::byte> bytes = next.bytes();
    if (!out.empty()) out += ' ';
    if (bytes.data() >= data.data() && bytes.data() < data.data() + data.size())
      out += "@" + std::to_string(bytes.data() - data.data()) + "+" + std::to_string(bytes.size());
    else out += support::hex(bytes);
  }
  return out;
}

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;

}  // namespace

TEST_CASE("ckpt writer: the message of the documentation") {
  CHECK(hex_of(tensor({2}, {std::int8_t{1}, std::int8_t{0}})) == "0a110a0161120c08021204496e74381a020100");
}

// What MindSpore 2.10.0 wrote for one 0-d tensor of value 1 (of BFloat16 1.5) named "a".
TEST_CASE("ckpt writer: MindSpore's bytes for each dtype") {
  CHECK(hex_of(zero_d(std::int8_t{1})) == "0a0e0a016112091204496e74381a0101");
  CHECK(hex_of(zero_d(true)) == "0a0e0a016112091204426f6f6c1a0101");
  CHECK(hex_of(zero_d(std::uint8_t{1})) == "0a0f0a0161120a120555496e74381a0101");
  CHECK(hex_of(zero_d(std::int16_t{1})) == "0a100a0161120b1205496e7431361a020100");
  CHECK(hex_of(zero_d(std::uint16_t{1})) == "0a110a0161120c120655496e7431361a020100");
  CHECK(hex_of(zero_d(std::int32_t{1})) == "0a120a0161120d1205496e7433321a0401000000");
  CHECK(hex_of(zero_d(std::uint32_t{1})) == "0a130a0161120e120655496e7433321a0401000000");
  CHECK(hex_of(zero_d(std::int64_t{1})) == "0a160a016112111205496e7436341a080100000000000000");
  CHECK(hex_of(zero_d(std::uint64_t{1})) == "0a170a01611212120655496e7436341a080100000000000000");
  CHECK(hex_of(zero_d(float16(1.0F))) == "0a120a0161120d1207466c6f617431361a02003c");
  CHECK(hex_of(zero_d(1.0F)) == "0a140a0161120f1207466c6f617433321a040000803f");
  CHECK(hex_of(zero_d(1.0)) == "0a180a016112131207466c6f617436341a08000000000000f03f");
  CHECK(hex_of(zero_d(bfloat16(1.5F))) == "0a130a0161120e120842466c6f617431361a02c03f");
  CHECK(hex_of(zero_d(std::complex<float>(1.0F))) == "0a1a0a016112151209436f6d706c657836341a080000803f00000000");
  CHECK(hex_of(zero_d(std::complex<double>(1.0))) ==
        "0a230a0161121e120a436f6d706c65783132381a10000000000000f03f0000000000000000");
}

TEST_CASE("ckpt writer: int4 counts bytes of two numbers") {
  CHECK(hex_of(tensor({2, 2}, {int4x2{0x12}, int4x2{0x34}, int4x2{0x01}, int4x2{0x02}})) ==
        "0a150a01611210080208021204496e74341a0412340102");
}

TEST_CASE("ckpt writer: an empty tensor is written, as MindSpore's asynchronous path does") {
  CHECK(hex_of(tensor(dtype::float32, {0, 3})) == "0a140a0161120f080008031207466c6f617433321a00");
  entries all = nothing();
  all.add_tensor("z", tensor_view(dtype::float32, {0}, {}));
  CHECK(support::hex(file_of(all)) == "0a120a017a120d08001207466c6f617433321a00");
}

TEST_CASE("ckpt writer: strings are UTF-32, the empty one a zero code point") {
  CHECK(support::hex(file_of_text("v", "")) == "0a120a0176120d080012037374721a0400000000");
  CHECK(support::hex(file_of_text("v", "d\u00eda")) == "0a1a0a01761215080012037374721a0c64000000ed00000061000000");
  CHECK(support::hex(file_of_text("v", "\U0001f600")) == "0a120a0176120d080012037374721a0400f60100");
  CHECK(support::hex(file_of_text("v", "a\0"s)) == "0a160a01761211080012037374721a086100000000000000");
}

TEST_CASE("ckpt writer: nothing at all is an empty file") { CHECK(file_of(nothing()).empty()); }

TEST_CASE("ckpt writer: the empty name") {
  entries all = nothing();
  const tensor t = zero_d(std::int8_t{1});
  all.add_tensor("", t);
  CHECK(support::hex(file_of(all)) == "0a0d0a0012091204496e74381a0101");
}

TEST_CASE("ckpt writer: one message for each entry, in order") {
  entries all = nothing();
  const tensor t = zero_d(std::int8_t{1});
  all.add_tensor("b", t);
  all.add_string("s", "x");
  all.add_tensor("a", t);
  CHECK(support::hex(file_of(all)) ==
        "0a0e0a016212091204496e74381a0101"
        "0a120a0173120d080012037374721a0478000000"
        "0a0e0a016112091204496e74381a0101");
}

TEST_CASE("ckpt writer: lengths and dims of several bytes") {
  const std::string file = file_of(tensor(dtype::int8, {200, 2}));
  CHECK(support::hex(file.substr(0, 29)) == "0aa4030a0161129e0308c80108021204496e74381a9003" + repeated("00", 6));
  CHECK(file.size() == 423);
}

TEST_CASE("ckpt writer: a strided tensor is gathered") {
  const std::int8_t m[]{1, 2, 3, 4};
  entries all = nothing();
  all.add_tensor("a", tensor_view::strided(dtype::int8, {2, 2}, m, {1, 2}));
  CHECK(support::hex(file_of(all)) == "0a150a01611210080208021204496e74381a0401030204");
}

TEST_CASE("ckpt writer: a tensor in pieces is one message") {
  entries all = nothing();
  const std::vector<segment> pieces{support::bytes("ab"), support::bytes("c"), support::bytes("def")};
  all.add_pieces("a", entry_kind::tensor, dtype::int8, shape{6}, pieces);
  CHECK(support::hex(file_of(all)) == "0a150a0161121008061204496e74381a06616263646566");
}

TEST_CASE("ckpt writer: each slice of a map is a message") {
  const std::string slice = support::unhex("0a0d08011205696e7433321a04010000000a00");
  entries all = nothing();
  const std::vector<segment> slices{support::bytes(slice), support::bytes("xy")};
  all.add_pieces("m", entry_kind::map, dtype::uint8, {}, slices);
  CHECK(support::hex(file_of(all)) == "0a180a016d1a13" + support::hex(slice) + "0a070a016d1a027879");
}

// Chunks.

TEST_CASE("ckpt writer: a tensor over 512 MiB is cut as MindSpore cuts it") {
  const sparse_zeros zeros(600 * mebibyte);
  entries all = nothing();
  all.add_tensor("big", tensor_view(dtype::int8, {629145600}, zeros.bytes()));
  const plan made = mindspore_writer(all, {}).make_plan();
  CHECK(layout(made, zeros.bytes()) ==
        "0a9d80808002"
        "0a03626967"
        "129280808002"
        "08808080ac02"
        "1204496e7438"
        "1a8080808002 @0+536870912 "
        "0a9b80802c"
        "0a03626967"
        "129180802c"
        "08808080ac02"
        "1204496e7438"
        "1a8080802c @536870912+92274688");
  CHECK(made.size() == 600 * mebibyte + 35 + 32);
}

TEST_CASE("ckpt writer: exactly 512 MiB are one message, one byte more are two") {
  const sparse_zeros zeros(512 * mebibyte + 1);
  const auto sizes = [&](std::uint64_t size) {
    entries all = nothing();
    const auto bytes = zeros.bytes().first(static_cast<std::size_t>(size));
    all.add_tensor("a", tensor_view(dtype::uint8, {static_cast<std::int64_t>(size)}, bytes));
    const plan made = mindspore_writer(all, {}).make_plan();
    std::string out;
    for (const segment& next : made.segments())
      if (next.size() > 100 || next.bytes().data() >= zeros.bytes().data()) out += std::to_string(next.size()) + " ";
    return out + "in " + std::to_string(made.segments().size());
  };
  CHECK(sizes(512 * mebibyte) == "536870912 in 2");
  CHECK(sizes(512 * mebibyte + 1).starts_with("536870912 "));
  CHECK(sizes(512 * mebibyte + 1).ends_with("in 4"));
}

TEST_CASE("ckpt writer: chunks are cut by bytes, not by rows, also across pieces") {
  const sparse_zeros zeros(600 * mebibyte);
  entries all = nothing();
  const std::vector<segment> pieces{zeros.bytes().first(300 * mebibyte), zeros.bytes().last(300 * mebibyte)};
  all.add_pieces("a", entry_kind::tensor, dtype::int8, shape{3, static_cast<std::int64_t>(200 * mebibyte)}, pieces);
  const plan made = mindspore_writer(all, {}).make_plan();
  std::string where;
  for (const segment& next : made.segments())
    if (next.size() > 1000)
      where += std::to_string((next.bytes().data() - zeros.bytes().data()) >> 20) + "+" +
               std::to_string(next.size() >> 20) + " ";
  CHECK(where == "0+300 300+212 512+88 ");
}

TEST_CASE("ckpt writer: a strided tensor over 512 MiB is cut where it is gathered") {
  std::vector<std::uint16_t> row(1 << 19);
  for (std::size_t i = 0; i < row.size(); ++i) row[i] = static_cast<std::uint16_t>(i * 7 + 1);
  entries all = nothing();
  all.add_tensor("a", tensor_view::strided(dtype::uint16, {600, 1 << 19}, row.data(), {0, 1}));  // one row, 600 times
  const plan made = mindspore_writer(all, {}).make_plan();
  REQUIRE(made.segments().size() == 4);
  const segment first = made.segments()[1];
  const segment second = made.segments()[3];
  CHECK(first.size() == 512 * mebibyte);
  CHECK(second.size() == 88 * mebibyte);
  CHECK(second.is_gathered());
  const auto at = [](const segment& from, std::uint64_t offset) {
    std::vector<std::byte> bytes(16);
    from.copy_to(offset, bytes);
    return support::text(bytes);
  };
  const std::string raw = support::text(std::as_bytes(std::span(row)));
  CHECK(at(first, 512 * mebibyte - 16) == raw.substr(raw.size() - 16));
  CHECK(at(second, 0) == raw.substr(0, 16));
  CHECK(at(second, 88 * mebibyte - 16) == raw.substr(raw.size() - 16));
  CHECK(at(second, mebibyte + 4096) == raw.substr(4096, 16));
}

// Alignment.

TEST_CASE("ckpt writer: an aligned file, byte for byte") {
  entries all = nothing();
  const tensor t = zero_d(std::int8_t{1});
  all.add_tensor("a", t);
  // 15 bytes up to the content: a padding field of 1 byte does not exist, so one of 17 it is.
  CHECK(support::hex(file_of(all, 16)) ==
        "0a1f0a0161121a1204496e7438"
        "c23e0e" +
            repeated("00", 14) +
            "1a01"
            "01");
}

TEST_CASE("ckpt writer: no padding where the content lies right already") {
  const tensor t = zero_d(std::int8_t{1});
  entries all = nothing();
  all.add_tensor("ab", t);  // 16 bytes before the content
  CHECK(file_of(all, 16) == file_of(all));
}

TEST_CASE("ckpt writer: no padding before no bytes") {
  const tensor t(dtype::int8, {0});
  CHECK(file_of(t, 64) == file_of(t));
}

TEST_CASE("ckpt writer: every tensor and string is aligned, for names and gaps of every size") {
  const tensor t({3}, {std::int8_t{1}, std::int8_t{2}, std::int8_t{3}});
  for (const unsigned align : {1U, 2U, 4U, 8U, 16U, 64U, 128U, 256U, 512U, 4096U}) {
    INFO(align);
    entries all = nothing();
    for (std::size_t size = 0; size <= 300; ++size) all.add_tensor(std::string(size, 'n'), t);
    const file_index index = index_of(file_of(all, align));
    std::size_t wrong = 0;
    for (const index_entry& entry : index) wrong += entry.extents()[0].offset % align == 0 ? 0u : 1u;
    CHECK(index.size() == 301);
    CHECK(wrong == 0);
  }
}

TEST_CASE("ckpt writer: every gap can be filled, also those that no padding field has the size of") {
  // No field takes 1 or 2 bytes, nor 131 or 16388: at those sizes the length in it would need another byte.
  const tensor t = zero_d(std::int8_t{1});
  const std::string before(16'000, 'x');
  const std::vector<segment> map{support::bytes(before)};
  std::size_t wrong = 0;
  std::size_t longest = 0;
  for (std::size_t size = 0; size <= 400; ++size)
    for (const unsigned align : {256U, 32768U}) {
      entries all = nothing();
      all.add_pieces("map", entry_kind::map, dtype::uint8, {}, map);  // of no alignment
      all.add_tensor(std::string(size, 'n'), t);
      const plan made = mindspore_writer(all, {.align = align}).make_plan();
      const std::uint64_t start = made.size() - 1;
      const std::uint64_t unpadded = mindspore_writer(all, {}).make_plan().size() - 1;
      wrong += start % align == 0 ? 0u : 1u;
      const auto rounds = static_cast<std::size_t>((start - unpadded) / align);
      if (rounds > longest) longest = rounds;
    }
  CHECK(wrong == 0);
  CHECK(longest <= 2);  // steps more than the nearest place: for lengths that grow, and for a size that is none
}

TEST_CASE("ckpt writer: an aligned file holds what the other holds") {
  entries all = nothing();
  const tensor t({2, 3}, {1.0F, 2.0F, 3.0F, 4.0F, 5.0F, 6.0F});
  const tensor none(dtype::float64, {0, 3});
  all.add_tensor("w", t);
  all.add_string("note", "text");
  all.add_tensor("none", none);
  all.add_tensor("again", t);
  const std::string plain = file_of(all);
  const std::string aligned = file_of(all, 64);
  const file_index a = index_of(plain);
  const file_index b = index_of(aligned);
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].name() == b[i].name());
    CHECK((a[i].type() == b[i].type()));
    CHECK(to_string(a[i].shape()) == to_string(b[i].shape()));
    CHECK(a[i].text() == b[i].text());
    for (std::size_t part = 0; part < a[i].extents().size(); ++part)
      CHECK(plain.substr(a[i].extents()[part].offset, a[i].extents()[part].size) ==
            aligned.substr(b[i].extents()[part].offset, b[i].extents()[part].size));
  }
}

TEST_CASE("ckpt writer: all chunks of a large tensor are aligned") {
  const sparse_zeros zeros(600 * mebibyte);
  entries all = nothing();
  all.add_tensor("odd name", tensor_view(dtype::int8, {629145600}, zeros.bytes()));
  const plan made = mindspore_writer(all, {.align = 4096}).make_plan();
  std::uint64_t at = 0;
  int contents = 0;
  for (const segment& next : made.segments()) {
    if (next.size() > mebibyte) {
      ++contents;
      CHECK(at % 4096 == 0);
    }
    at += next.size();
  }
  CHECK(contents == 2);
}

// What ends like a checksum.

namespace {

const std::string false_trailer = "crc_num0000000001";  // what MindSpore's loader cuts off and verifies
const std::string hidden = support::unhex("c23e00");    // an unknown field, empty

tensor text_tensor(std::string_view text) {
  return tensor::from_bytes(dtype::uint8, {static_cast<std::int64_t>(text.size())}, support::bytes(text));
}

}  // namespace

TEST_CASE("ckpt writer: an ending that looks like a checksum is hidden by an unknown field") {
  const std::string file = file_of(text_tensor("x" + false_trailer));
  CHECK(file.ends_with(false_trailer + hidden));
  CHECK(index_of(file).size() == 1);
  CHECK(!index_of(file).has_checksum());
  CHECK(file_of(text_tensor("crc_num\xff\0\1 anything"s.substr(0, 17))).ends_with(hidden));
}

TEST_CASE("ckpt writer: what does not look like a checksum is left alone") {
  CHECK(!file_of(text_tensor(false_trailer + "x")).ends_with(hidden));
  CHECK(!file_of(text_tensor(false_trailer.substr(0, 16))).ends_with(hidden));
  CHECK(!file_of(text_tensor("crc_nun0000000001")).ends_with(hidden));
  CHECK(file_of_text("s", false_trailer).ends_with(std::string("1\0\0\0", 4)));
}

TEST_CASE("ckpt writer: only at the end of the file") {
  entries all = nothing();
  const tensor looks_like = text_tensor(false_trailer);
  const tensor other = zero_d(std::int8_t{1});
  all.add_tensor("a", looks_like);
  all.add_tensor("b", other);
  CHECK(file_of(all).find(hidden) == std::string::npos);
}

TEST_CASE("ckpt writer: a hidden ending in pieces") {
  for (std::size_t cut = 1; cut < false_trailer.size(); ++cut) {
    entries all = nothing();
    const std::vector<segment> pieces{support::bytes(false_trailer).first(cut),
                                      support::bytes(false_trailer).subspan(cut)};
    all.add_pieces("a", entry_kind::tensor, dtype::uint8, shape{17}, pieces);
    CHECK(file_of(all).ends_with(false_trailer + hidden));
  }
}

TEST_CASE("ckpt writer: a hidden ending that is gathered, of elements of every width") {
  for (const dtype type : {dtype::uint8, dtype::int16, dtype::float32, dtype::int64, dtype::complex128}) {
    INFO(name(type));
    const std::size_t width = info(type).bits / 8U;
    const std::string content = std::string(31, 'x') + false_trailer;  // 48 bytes: whole elements of each
    std::string backwards;                                             // the elements, last one first
    for (std::size_t at = content.size(); at > 0; at -= width) backwards += content.substr(at - width, width);
    const auto count = static_cast<std::int64_t>(content.size() / width);
    entries all = nothing();
    all.add_tensor("a", tensor_view::strided(type, {count}, &backwards[backwards.size() - width], {-1}));
    CHECK(file_of(all).ends_with(content + hidden));
    backwards[0] = '?';  // of the last element: no checksum any more where it held the marker's part
    if (width > 10) CHECK(!file_of(all).ends_with(hidden));
  }
}

// Names, types and texts that a ckpt file cannot hold.

TEST_CASE("ckpt writer: a name of 1024 characters, of one byte or more") {
  const tensor t = zero_d(std::int8_t{1});
  for (const std::string& name : {std::string(1024, 'n'), repeated("\u00e9", 1024), repeated("\U0001f600", 1024)}) {
    entries all = nothing();
    all.add_tensor(name, t);
    const file_index index = index_of(file_of(all));
    CHECK(index[0].name() == name);
  }
}

TEST_CASE("ckpt writer refuses: a name of 1025 characters") {
  const tensor t = zero_d(std::int8_t{1});
  for (const std::string& name : {std::string(1025, 'n'), repeated("\u00e9", 1025)}) {
    entries all = nothing();
    all.add_tensor(name, t);
    CHECK(refused(all) == "f: tensor \"" + name.substr(0, 200) +
                              "...\": the name has 1025 characters; MindSpore loads no name over 1024");
  }
  entries all = nothing();
  all.add_string(std::string(2000, 's'), "text");
  CHECK(refused(all).ends_with("\": the name has 2000 characters; MindSpore loads no name over 1024"));
}

TEST_CASE("ckpt writer refuses: a name that is not UTF-8") {
  const tensor t = zero_d(std::int8_t{1});
  entries all = nothing();
  all.add_tensor("n\xff", t);
  const auto e = support::error_of<usage_error>([&] { (void)mindspore_writer(all, {}).make_plan(); });
  CHECK(std::string(e.what()) == "f: tensor \"n\xff\": the name is not UTF-8");
  CHECK(e.code() == errc::invalid_name);
}

TEST_CASE("ckpt writer refuses: dtypes that MindSpore does not have") {
  int refusals = 0;
  for (const dtype_info& row : dtype_table) {
    if (!row.mindspore.empty()) continue;
    const tensor t(row.type, {4});
    entries all = nothing();
    all.add_tensor("w", t);
    CHECK(refused(all) == "f: tensor \"w\": a ckpt file cannot hold " + std::string(row.name) +
                              "; save it as safetensors, or convert it first");
    ++refusals;
  }
  CHECK(refusals == 8);
}

TEST_CASE("ckpt writer refuses: a file past 2^62 bytes") {
  const float value = 0;  // seen again and again: a tensor of any size that takes no memory
  const auto large = [&](std::int64_t bytes) { return tensor_view::strided(dtype::uint8, {bytes}, &value, {0}); };
  entries one = nothing();
  one.add_tensor("a", large(std::int64_t{1} << 62));
  CHECK(refused(one) == "f: tensor \"a\": with it the file passes 2^62 bytes");
  entries two = nothing();
  const gather never_fetched{nullptr, 0};
  const std::vector<segment> pieces(8, segment(never_fetched, std::uint64_t{1} << 59));
  two.add_pieces("a", entry_kind::map, dtype::uint8, {}, std::span(pieces).first(4));
  two.add_pieces("b", entry_kind::map, dtype::uint8, {}, std::span(pieces).first(4));
  CHECK(refused(two) == "f: map \"b\": with it the file passes 2^62 bytes");
}

TEST_CASE("ckpt writer refuses: text that is not UTF-8") {
  entries all = nothing();
  all.add_string("s",
                 "ab\xff"
                 "c");
  const auto e = support::error_of<usage_error>([&] { (void)mindspore_writer(all, {}).make_plan(); });
  CHECK(std::string(e.what()) == "f: string \"s\": the text is not UTF-8 at its byte 2");
  CHECK(e.code() == errc::malformed);
}
