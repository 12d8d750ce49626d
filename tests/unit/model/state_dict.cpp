#include <ckpt/model/state_dict.hpp>

#include <doctest/doctest.h>

#include <array>
#include <complex>
#include <memory>
#include <string>
#include <vector>

#include "../support.hpp"

using namespace ckpt;

namespace {

/// A state_dict as load makes them, of content that is added piece by piece.
class maker {
 public:
  explicit maker(std::string label = "f") : m_index("ckpt", std::move(label), 4096) {}

  /// `digits` may hold several pieces, separated by '|'. They lie apart, the first one at `offset` past a multiple
  /// of 64.
  maker& tensor(std::string_view name, dtype type, shape extents, std::string_view digits, std::size_t offset = 0,
                entry_kind kind = entry_kind::tensor) {
    std::vector<extent> where;
    for (bool more = true; more;) {
      const std::size_t bar = digits.find('|');
      const std::string raw = support::unhex(digits.substr(0, bar));
      m_used = round_up(m_used, 64) + offset;
      where.push_back({m_used, raw.size()});
      std::memcpy(m_content.bytes().data() + m_used, raw.data(), raw.size());
      m_used += raw.size();
      more = bar != std::string_view::npos;
      if (more) digits.remove_prefix(bar + 1);
    }
    m_index.add(name, kind, type, extents, where);
    return *this;
  }
  maker& text(std::string_view name, std::string_view text) {
    m_index.add_string(name, text);
    return *this;
  }
  maker& metadata(std::string_view key, std::string_view value) {
    m_index.add_metadata(key, value);
    return *this;
  }
  state_dict made() {
    CHECK(!m_index.index_names());
    return {std::move(m_index), std::move(m_content)};
  }

 private:
  file_index m_index;
  aligned_memory m_content{4096};
  std::size_t m_used = 0;
};

template <class Error = mismatch_error, class Call>
std::string refused(Call call) {
  return support::message_of<Error>(call);
}

state_dict floats() { return maker().tensor("w", dtype::float32, {2}, "0000803f 00000040").made(); }

}  // namespace

// state_value: what it is.

TEST_CASE("state_value: name, kind, dtype, shape and size") {
  const state_dict dict = floats();
  const state_value w = dict["w"];
  CHECK(w.name() == "w");
  CHECK((w.kind() == entry_kind::tensor));
  CHECK((w.type() == dtype::float32));
  CHECK(to_string(w.shape()) == "[2]");
  CHECK(w.size_bytes() == 8);
  CHECK(w.piece_count() == 1);
  CHECK(support::hex(w.piece(0)) == "0000803f00000040");
}

TEST_CASE("state_value: bytes without a copy") {
  const state_dict dict = floats();
  CHECK(support::hex(dict["w"].bytes()) == "0000803f00000040");
  CHECK(dict["w"].bytes().data() == dict["w"].piece(0).data());
}

TEST_CASE("state_value: as gives the elements without a copy") {
  const state_dict dict = floats();
  const std::span<const float> w = dict["w"].as<float>();
  REQUIRE(w.size() == 2);
  CHECK(w[1] == 2.0F);
  CHECK(static_cast<const void*>(w.data()) == dict["w"].bytes().data());
}

TEST_CASE("state_value: as of half precision, complex, packed and bool elements") {
  const state_dict dict = maker()
                              .tensor("h", dtype::float16, {1}, "003e")
                              .tensor("b", dtype::bfloat16, {1}, "c03f")
                              .tensor("c", dtype::complex64, {1}, "0000803f000000c0")
                              .tensor("i", dtype::int4, {2}, "1234")
                              .tensor("t", dtype::boolean, {2}, "0100")
                              .tensor("e", dtype::float8_e4m3, {1}, "38")
                              .made();
  CHECK(dict["h"].as<float16>()[0] == 1.5F);
  CHECK(dict["b"].as<bfloat16>()[0] == 1.5F);
  CHECK((dict["c"].as<std::complex<float>>()[0] == std::complex<float>(1.0F, -2.0F)));
  CHECK(dict["i"].as<int4x2>()[1].bits == 0x34);
  CHECK(dict["t"].as<bool>()[0]);
  CHECK(!dict["t"].as<bool>()[1]);
  CHECK(dict["e"].as<float8_e4m3>()[0].bits == 0x38);
}

TEST_CASE("state_value: to_vector of narrower floats, of whatever alignment") {
  const state_dict dict = maker()
                              .tensor("h", dtype::float16, {2}, "003e00c0", 1)
                              .tensor("b", dtype::bfloat16, {1}, "c03f")
                              .tensor("f", dtype::float32, {1}, "0000803f")
                              .made();
  CHECK(dict["h"].to_vector<float>() == std::vector<float>{1.5F, -2.0F});
  CHECK(dict["b"].to_vector<double>() == std::vector<double>{1.5});
  CHECK(dict["f"].to_vector<double>() == std::vector<double>{1.0});
  CHECK(refused([&] { (void)dict["f"].to_vector<float16>(); }) == "f: tensor \"f\": it holds float32, not float16");
}

TEST_CASE("state_value refuses: as of another type") {
  const state_dict dict = floats();
  const auto e = support::error_of<mismatch_error>([&] { (void)dict["w"].as<double>(); });
  CHECK(std::string(e.what()) == "f: tensor \"w\": it holds float32, not float64");
  CHECK(e.code() == errc::dtype_mismatch);
  CHECK(e.name() == "w");
  CHECK(e.expected() == "float64");
  CHECK(e.found() == "float32");
  CHECK(refused([&] { (void)dict["w"].to_vector<int>(); }) == "f: tensor \"w\": it holds float32, not int32");
}

TEST_CASE("state_value refuses: as of elements that are not aligned, with the ways out") {
  const state_dict dict = maker().tensor("w", dtype::float32, {1}, "0000803f", 2).made();
  const auto e = support::error_of<mismatch_error>([&] { (void)dict["w"].as<float>(); });
  CHECK(std::string(e.what()) ==
        "f: tensor \"w\": its bytes are not aligned to 4 in the file: copy it with to_vector, load with {.read = "
        "ckpt::read::copy}, or save with {.align = 64}");
  CHECK(e.code() == errc::not_contiguous);
  CHECK(dict["w"].to_vector<float>() == std::vector<float>{1.0F});
  CHECK(dict["w"].item<float>() == 1.0F);
}

TEST_CASE("state_value: no element is aligned to anything") {
  const state_dict dict = maker().tensor("w", dtype::float64, {0, 3}, "", 1).made();
  CHECK(dict["w"].as<double>().empty());
  CHECK(dict["w"].to_vector<double>().empty());
  CHECK(dict["w"].bytes().empty());
}

TEST_CASE("state_value refuses: bytes that lie in several chunks, with the ways out") {
  const state_dict dict = maker().tensor("w", dtype::int16, {3}, "0100 | 0200 | 0300").made();
  CHECK(dict["w"].piece_count() == 3);
  CHECK(support::hex(dict["w"].piece(2)) == "0300");
  const std::string why =
      "f: tensor \"w\": the file holds it in 3 chunks: copy it with to_vector or copy_to, or load with {.read = "
      "ckpt::read::copy}";
  CHECK(refused([&] { (void)dict["w"].bytes(); }) == why);
  CHECK(refused([&] { (void)dict["w"].as<std::int16_t>(); }) == why);
  CHECK(dict["w"].to_vector<std::int16_t>() == std::vector<std::int16_t>{1, 2, 3});
}

TEST_CASE("state_value: chunks may end within an element") {
  const state_dict dict = maker().tensor("w", dtype::int32, {2}, "010000 | 0002 | 000000").made();
  CHECK(dict["w"].to_vector<int>() == std::vector<int>{1, 2});
}

TEST_CASE("state_value refuses: a bool that is neither 0 nor 1") {
  const state_dict dict = maker()
                              .tensor("m", dtype::boolean, {3}, "010002")
                              .tensor("one", dtype::boolean, {}, "ff")
                              .tensor("cut", dtype::boolean, {2}, "01|03")
                              .made();
  const auto e = support::error_of<format_error>([&] { (void)dict["m"].as<bool>(); });
  CHECK(std::string(e.what()) == "f: tensor \"m\": a bool is 2, neither 0 nor 1");
  CHECK(e.code() == errc::malformed);
  CHECK(refused<format_error>([&] { (void)dict["m"].to_vector<bool>(); }) ==
        "f: tensor \"m\": a bool is 2, neither 0 nor 1");
  CHECK(refused<format_error>([&] { (void)dict["one"].item<bool>(); }) ==
        "f: tensor \"one\": a bool is 255, neither 0 nor 1");
  CHECK(refused<format_error>([&] { (void)dict["cut"].to_vector<bool>(); }) ==
        "f: tensor \"cut\": a bool is 3, neither 0 nor 1");
  CHECK(support::hex(dict["m"].bytes()) == "010002");  // as bytes they are what they are
}

TEST_CASE("state_value: to_vector of bools, in chunks too") {
  const state_dict dict = maker().tensor("m", dtype::boolean, {4}, "0100|0101").made();
  CHECK(dict["m"].to_vector<bool>() == std::vector<bool>{true, false, true, true});
}

TEST_CASE("state_value: copy_to fills memory of exactly its size") {
  const state_dict dict = maker().tensor("w", dtype::float4_e2m1, {2, 4}, "0102|0304").made();
  std::array<std::byte, 4> to{};
  dict["w"].copy_to(to);
  CHECK(support::hex(to) == "01020304");
  const auto e = support::error_of<mismatch_error>([&] { dict["w"].copy_to(std::span(to).first(3)); });
  CHECK(std::string(e.what()) == "f: tensor \"w\": it has 4 bytes, the destination 3");
  CHECK(e.code() == errc::shape_mismatch);
}

// item.

TEST_CASE("state_value: item of its own type, of any shape of one element") {
  const state_dict dict = maker()
                              .tensor("scalar", dtype::float32, {}, "0000803f")
                              .tensor("nested", dtype::int16, {1, 1, 1}, "0700")
                              .tensor("bool", dtype::boolean, {}, "01")
                              .tensor("half", dtype::float16, {1}, "003e")
                              .tensor("complex", dtype::complex128, {}, "000000000000f03f 00000000000000c0")
                              .made();
  CHECK(dict["scalar"].item<float>() == 1.0F);
  CHECK(dict["nested"].item<std::int16_t>() == 7);
  CHECK(dict["bool"].item<bool>());
  CHECK(dict["half"].item<float16>().bits() == 0x3e00);
  CHECK((dict["complex"].item<std::complex<double>>() == std::complex<double>(1.0, -2.0)));
}

TEST_CASE("state_value: item of an integer that fits, and of a narrower float") {
  const state_dict dict = maker()
                              .tensor("epoch", dtype::int32, {}, "03000000")
                              .tensor("big", dtype::uint64, {}, "0000000000000080")
                              .tensor("half", dtype::float16, {}, "003e")
                              .tensor("brain", dtype::bfloat16, {}, "c03f")
                              .tensor("lr", dtype::float32, {}, "cdcccc3d")
                              .made();
  CHECK(dict["epoch"].item<std::int64_t>() == 3);
  CHECK(dict["epoch"].item<std::uint8_t>() == 3);
  CHECK(dict["big"].item<std::uint64_t>() == std::uint64_t{1} << 63);
  CHECK(dict["half"].item<float>() == 1.5F);
  CHECK(dict["brain"].item<double>() == 1.5);
  CHECK(dict["lr"].item<double>() == double{0.1F});
}

TEST_CASE("state_value refuses: item that loses something") {
  const state_dict dict = maker()
                              .tensor("big", dtype::uint64, {}, "0000000000000080")
                              .tensor("lr", dtype::float64, {}, "000000000000f03f")
                              .tensor("bool", dtype::boolean, {}, "01")
                              .made();
  const auto e = support::error_of<mismatch_error>([&] { (void)dict["big"].item<std::int64_t>(); });
  CHECK(std::string(e.what()) == "f: tensor \"big\": its uint64 value cannot be read as int64 without loss");
  CHECK(e.code() == errc::dtype_mismatch);
  CHECK(refused([&] { (void)dict["lr"].item<float>(); }) ==
        "f: tensor \"lr\": its float64 value cannot be read as float32 without loss");
  CHECK(refused([&] { (void)dict["bool"].item<int>(); }) ==
        "f: tensor \"bool\": its bool value cannot be read as int32 without loss");
  CHECK(refused([&] { (void)dict["lr"].item<bool>(); }) ==
        "f: tensor \"lr\": its float64 value cannot be read as bool without loss");
}

TEST_CASE("state_value refuses: item of more or less than one element") {
  const state_dict dict =
      maker().tensor("two", dtype::float32, {2}, "0000803f00000040").tensor("none", dtype::float32, {0}, "").made();
  const auto e = support::error_of<mismatch_error>([&] { (void)dict["two"].item<float>(); });
  CHECK(std::string(e.what()) == "f: tensor \"two\": item() needs one element; the shape is [2]");
  CHECK(e.code() == errc::shape_mismatch);
  CHECK(refused([&] { (void)dict["none"].item<float>(); }) ==
        "f: tensor \"none\": item() needs one element; the shape is [0]");
}

// Strings and maps.

TEST_CASE("state_value: the text of a string") {
  const state_dict dict = maker()
                              .text("note",
                                    "d\xc3\xad"
                                    "a")
                              .text("empty", "")
                              .made();
  CHECK(dict["note"].text() ==
        "d\xc3\xad"
        "a");
  CHECK((dict["note"].kind() == entry_kind::string));
  CHECK(dict["note"].size_bytes() == 4);
  CHECK(dict["note"].piece_count() == 0);
  CHECK(dict["empty"].text().empty());
}

TEST_CASE("state_value refuses: a text that UTF-8 does not have") {
  const state_dict dict = maker().text("note", "\xed\xa0\x80").made();
  const auto e = support::error_of<format_error>([&] { (void)dict["note"].text(); });
  CHECK(std::string(e.what()) == "f: string \"note\": it holds a lone surrogate, which UTF-8 cannot express");
  CHECK(e.code() == errc::unsupported);
}

TEST_CASE("state_value refuses: a string, tensor or map as what it is not") {
  const state_dict dict = maker()
                              .text("note", "text")
                              .tensor("w", dtype::uint8, {1}, "01")
                              .tensor("table", dtype::uint8, {}, "01|02", 0, entry_kind::map)
                              .made();
  const std::string string_why = "f: string \"note\": it is a string, not a tensor";
  std::array<std::byte, 4> to{};
  CHECK(refused([&] { (void)dict["note"].bytes(); }) == string_why);
  CHECK(refused([&] { (void)dict["note"].as<std::uint8_t>(); }) == string_why);
  CHECK(refused([&] { (void)dict["note"].to_vector<float>(); }) == string_why);
  CHECK(refused([&] { (void)dict["note"].item<float>(); }) == string_why);
  CHECK(refused([&] { dict["note"].copy_to(to); }) == string_why);
  CHECK(refused([&] { (void)dict["w"].text(); }) == "f: tensor \"w\": it is a tensor, not a string");
  CHECK(refused([&] { (void)dict["table"].text(); }) == "f: map \"table\": it is a map, not a string");
  CHECK(refused([&] { (void)dict["table"].bytes(); }) == "f: map \"table\": it is a map, not a tensor");
  CHECK(dict["table"].piece_count() == 2);
}

// state_dict.

TEST_CASE("state_dict: in the order of the file") {
  const state_dict dict =
      maker().tensor("b", dtype::uint8, {1}, "02").text("note", "text").tensor("a", dtype::uint8, {1}, "01").made();
  CHECK(dict.size() == 3);
  CHECK(!dict.empty());
  std::string names;
  for (const auto& [name, value] : dict) {
    CHECK(value.name() == name);
    names.append(name).append(" ");
  }
  CHECK(names == "b note a ");
  auto second = dict.begin();
  CHECK((*second++).first == "b");
  CHECK((*second).first == "note");
  CHECK(++ ++second == dict.end());
}

TEST_CASE("state_dict: found by name or not") {
  const state_dict dict = maker().tensor("w", dtype::uint8, {1}, "01").tensor("", dtype::uint8, {1}, "02").made();
  CHECK(dict.contains("w"));
  CHECK(!dict.contains("W"));
  CHECK(!dict.find("v"));
  REQUIRE(dict.find("w"));
  CHECK(dict.find("w")->item<std::uint8_t>() == 1);
  CHECK(dict[""].item<std::uint8_t>() == 2);
}

TEST_CASE("state_dict refuses: the facts say what was asked for and what is there") {
  const state_dict dict = floats();
  const auto type = support::error_of<mismatch_error>([&] { (void)dict["w"].as<std::int32_t>(); });
  CHECK(type.expected() == "int32");
  CHECK(type.found() == "float32");
  const auto kind = support::error_of<mismatch_error>([&] { (void)dict["w"].text(); });
  CHECK(kind.expected() == "string");
  CHECK(kind.found() == "tensor");
  std::vector<std::byte> room(1);
  const auto size = support::error_of<mismatch_error>([&] { dict["w"].copy_to(room); });
  CHECK(size.expected() == std::to_string(dict["w"].size_bytes()));
  CHECK(size.found() == "1");
}

TEST_CASE("state_dict refuses: a name that is not there") {
  const state_dict dict = floats();
  const auto e = support::error_of<mismatch_error>([&] { (void)dict["conv"]; });
  CHECK(std::string(e.what()) == "f: entry \"conv\": there is none of that name among 1");
  CHECK(e.code() == errc::missing);
  CHECK(e.path() == "f");
  CHECK(e.name() == "conv");
}

TEST_CASE("state_dict: of nothing") {
  const state_dict dict = maker().made();
  CHECK(dict.empty());
  CHECK(dict.begin() == dict.end());
  CHECK(refused([&] { (void)dict["w"]; }) == "f: entry \"w\": there is none of that name among 0");
}

TEST_CASE("state_dict: values and views outlive a move, and the content lives as long as it") {
  state_dict first = floats();
  const state_value value = first["w"];
  const std::span<const float> elements = value.as<float>();
  const state_dict second = std::move(first);
  CHECK(value.name() == "w");
  CHECK(elements[0] == 1.0F);
  CHECK(second["w"].as<float>().data() == elements.data());
}

namespace {

/// Bytes that tell when they are gone.
class counted_source final : public source {
 public:
  explicit counted_source(int& alive) : source("f"), m_alive(&alive) { ++*m_alive; }
  counted_source(const counted_source&) = delete;
  counted_source& operator=(const counted_source&) = delete;
  ~counted_source() override { --*m_alive; }
  [[nodiscard]] std::uint64_t size() const noexcept override { return sizeof m_bytes; }
  void read(std::uint64_t, byte_span) const override {}
  [[nodiscard]] const std::byte* data() const noexcept override { return m_bytes; }

 private:
  int* m_alive;
  std::byte m_bytes[4]{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
};

}  // namespace

TEST_CASE("state_dict: keeps what its views show, and no longer than itself") {
  int alive = 0;
  {
    file_index index("ckpt", "f", 4);
    const extent where{2, 2};
    index.add("w", entry_kind::tensor, dtype::uint8, shape{2}, std::span(&where, 1));
    REQUIRE(!index.index_names());
    state_dict first(std::move(index), owner<const source>(new counted_source(alive)));
    const state_dict second = std::move(first);
    CHECK(alive == 1);
    CHECK(support::hex(second["w"].bytes()) == "0304");
  }
  CHECK(alive == 0);
}

TEST_CASE("state_dict: format and metadata") {
  const state_dict dict = maker().metadata("format", "ms").metadata("author", "me").made();
  CHECK(dict.format() == "ckpt");
  REQUIRE(dict.metadata().size() == 2);
  CHECK(dict.metadata()[1] == file_index::metadata_pair("author", "me"));
}

TEST_CASE("state_dict: views are not taken from a temporary, and it is not copied") {
  CHECK(!std::is_copy_constructible_v<state_dict>);
  CHECK(std::is_nothrow_move_constructible_v<state_dict>);
}
