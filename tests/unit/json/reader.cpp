#include <ckpt/json/reader.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace ckpt;

namespace {

template <class Call>
std::string error_of(std::string_view text, const Call& call) {
  arena strings;
  try {
    json_reader json(text, strings, "f", 8);
    call(json);
    json.finish();
  } catch (const format_error& error) {
    CHECK(error.code() == errc::malformed);
    return error.what();
  }
  return "accepted";
}

std::string skip(std::string_view text) {
  return error_of(text, [](json_reader& json) { json.skip_value(); });
}

std::string number(std::string_view text) {
  return error_of(text, [](json_reader& json) { (void)json.read_u64(); });
}

// Whether reading a string and skipping it say the same; and what they say.
std::string string_error(std::string_view text) {
  const std::string read = error_of(text, [](json_reader& json) { (void)json.read_string(); });
  CHECK(skip(text) == read);
  return read;
}

std::string string_value(std::string_view text) {
  arena strings;
  json_reader json(text, strings, "f", 8);
  const std::string value(json.read_string());
  json.finish();
  CHECK(skip(text) == "accepted");
  return value;
}

std::string nested(std::string_view open, std::string_view inside, std::string_view close, unsigned depth) {
  std::string text;
  for (unsigned i = 0; i < depth; ++i) text += open;
  text += inside;
  for (unsigned i = 0; i < depth; ++i) text += close;
  return text;
}

}  // namespace

TEST_CASE("json reader: an object is read member by member, with blanks wherever JSON allows them") {
  for (const std::string_view text : {R"({"a":[1,2],"b":{"c":"x"},"d":null})",
                                      " \n\t\r{ \"a\" : [ 1 , 2 ] , \"b\" : { \"c\" : \"x\" } , \"d\" : null } \n"}) {
    arena strings;
    json_reader json(text, strings, "f", 8);
    json.begin_object();
    CHECK(json.next_key());
    CHECK(json.key() == "a");
    json.begin_array();
    CHECK(json.next_element());
    CHECK(json.read_u64() == 1);
    CHECK(json.next_element());
    CHECK(json.read_u64() == 2);
    CHECK(!json.next_element());
    CHECK(json.next_key());
    CHECK(json.key() == "b");
    CHECK(!json.read_null());
    json.begin_object();
    CHECK(json.next_key());
    CHECK(json.key() == "c");
    CHECK(json.read_string() == "x");
    CHECK(!json.next_key());
    CHECK(json.next_key());
    CHECK(json.key() == "d");
    CHECK(json.read_null());
    CHECK(!json.next_key());
    json.finish();
  }
}

TEST_CASE("json reader: empty objects and arrays, alone and in each other") {
  for (const std::string_view text : {"{}", "[]", "[[],{}]", R"({"a":{},"b":[]})", "[ ]", "{ }"})
    CHECK_MESSAGE(skip(text) == "accepted", text);
}

TEST_CASE("json reader: offset() is the byte of the file where the next token begins") {
  arena strings;
  json_reader json("  [ 5]", strings, "f", 100);
  CHECK(json.offset() == 102);
  json.begin_array();
  CHECK(json.next_element());
  CHECK(json.offset() == 104);
}

TEST_CASE("json reader: key_offset() is the byte of the file where the last name began") {
  arena strings;
  json_reader json(R"({ "a" :1 , "b":2})", strings, "f", 100);
  json.begin_object();
  CHECK(json.next_key());
  CHECK(json.key() == "a");
  CHECK(json.key_offset() == 102);
  json.skip_value();
  CHECK(json.next_key());
  CHECK(json.key() == "b");
  CHECK(json.key_offset() == 111);
}

TEST_CASE("json reader: a string without escapes is a view into the text") {
  const std::string text = R"("name")";
  arena strings;
  json_reader json(text, strings, "f", 0);
  CHECK(static_cast<const void*>(json.read_string().data()) == text.data() + 1);
}

TEST_CASE("json reader: escapes are decoded") {
  CHECK(string_value(R"("")").empty());
  CHECK(string_value(R"("\"\\\/\b\f\n\r\t")") == "\"\\/\b\f\n\r\t");
  CHECK(string_value(R"("x\u0041\u00eD\u20ac\u0000y")") == std::string("x\x41\xc3\xad\xe2\x82\xac\0y", 9));
  CHECK(string_value(R"("\ud83d\ude00\uDBFF\uDFFF\ud800\udc00")") ==
        "\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf\xf0\x90\x80\x80");
  CHECK(string_value("\"\x7f \xc3\xad\"") == "\x7f \xc3\xad");
}

TEST_CASE("json reader: decoded strings stay where they are while more are read") {
  arena strings;
  json_reader json(R"(["\n","\t"])", strings, "f", 0);
  json.begin_array();
  CHECK(json.next_element());
  const std::string_view first = json.read_string();
  CHECK(json.next_element());
  const std::string_view second = json.read_string();
  CHECK(first == "\n");
  CHECK(second == "\t");
}

TEST_CASE("json reader: numbers are exact up to 2^64 - 1") {
  for (const std::uint64_t value :
       {std::uint64_t{0}, std::uint64_t{9}, std::uint64_t{9007199254740993}, ~std::uint64_t{0}}) {
    const std::string text = std::to_string(value);
    arena strings;
    json_reader json(text, strings, "f", 0);
    CHECK(json.read_u64() == value);
  }
}

TEST_CASE("json reader: refuses text that is not UTF-8, also between tokens") {
  CHECK(skip("[\"\xc3\"]") == "f: JSON: expected UTF-8, found byte 0xc3, at byte 10");
  CHECK(skip("[1\xff]") == "f: JSON: expected UTF-8, found byte 0xff, at byte 10");
  CHECK(skip("\"\xed\xa0\x80\"") == "f: JSON: expected UTF-8, found byte 0xed, at byte 9");
}

TEST_CASE("json reader: refuses a byte order mark") {
  CHECK(skip("\xef\xbb\xbf{}") == "f: JSON: expected a value, found byte 0xef, at byte 8");
}

TEST_CASE("json reader: refuses text that ends early") {
  CHECK(skip("") == "f: JSON: expected a value, found the end of the text, at byte 8");
  CHECK(skip("[1") == "f: JSON: expected ',' or ']', found the end of the text, at byte 10");
  CHECK(skip("{\"a\"") == "f: JSON: expected ':', found the end of the text, at byte 12");
  CHECK(skip("{\"a\":") == "f: JSON: expected a value, found the end of the text, at byte 13");
  CHECK(skip("{") == "f: JSON: expected a name in quotes, found the end of the text, at byte 9");
  CHECK(string_error("\"abc") ==
        "f: JSON: expected '\"' at the end of a string, found the end of the text, at byte 12");
  CHECK(string_error("\"abc\\") ==
        "f: JSON: expected one of \"\\/bfnrtu after a backslash, found the end of the text, at byte 13");
  CHECK(string_error("\"\\u00") ==
        "f: JSON: expected four hexadecimal digits after \\u, found the end of the text, at byte 13");
  CHECK(string_error("\"\\ud83d\\u") ==
        "f: JSON: expected four hexadecimal digits after \\u, found the end of the text, at byte 17");
}

TEST_CASE("json reader: refuses anything but blanks after the value") {
  CHECK(skip("{}{") == "f: JSON: expected nothing but blanks after the value, found '{', at byte 10");
  CHECK(skip(std::string_view("{}\0", 3)) ==
        "f: JSON: expected nothing but blanks after the value, found byte 0x00, at byte 10");
  CHECK(skip("1 2") == "f: JSON: expected nothing but blanks after the value, found '2', at byte 10");
  CHECK(skip("{}\v") == "f: JSON: expected nothing but blanks after the value, found byte 0x0b, at byte 10");
}

TEST_CASE("json reader: refuses commas too many and too few") {
  CHECK(skip("[1,]") == "f: JSON: expected a value, found ']', at byte 11");
  CHECK(skip("[,1]") == "f: JSON: expected a value, found ',', at byte 9");
  CHECK(skip("[1 2]") == "f: JSON: expected ',' or ']', found '2', at byte 11");
  CHECK(skip(R"({"a":1,})") == "f: JSON: expected a name in quotes, found '}', at byte 15");
  CHECK(skip(R"({"a":1 "b":2})") == "f: JSON: expected ',' or '}', found '\"', at byte 15");
  CHECK(skip(R"([[1],])") == "f: JSON: expected a value, found ']', at byte 13");
}

TEST_CASE("json reader: refuses brackets that do not match") {
  CHECK(skip("[1}") == "f: JSON: expected ',' or ']', found '}', at byte 10");
  CHECK(skip("{\"a\":1]") == "f: JSON: expected ',' or '}', found ']', at byte 14");
  CHECK(skip("]") == "f: JSON: expected a value, found ']', at byte 8");
}

TEST_CASE("json reader: refuses names that are no strings, and names without a value") {
  CHECK(skip("{1:2}") == "f: JSON: expected a name in quotes, found '1', at byte 9");
  CHECK(skip("{\"a\",1}") == "f: JSON: expected ':', found ',', at byte 12");
  CHECK(skip("{'a':1}") == "f: JSON: expected a name in quotes, found ''', at byte 9");
}

TEST_CASE("json reader: refuses words that are no literals, comments among them") {
  CHECK(skip("tru") == "f: JSON: expected true, found 't', at byte 8");
  CHECK(skip("nil") == "f: JSON: expected null, found 'n', at byte 8");
  CHECK(skip("False") == "f: JSON: expected a value, found 'F', at byte 8");
  CHECK(skip("NaN") == "f: JSON: expected a value, found 'N', at byte 8");
  CHECK(skip("nullx") == "f: JSON: expected nothing but blanks after the value, found 'x', at byte 12");
  CHECK(skip("/**/1") == "f: JSON: expected a value, found '/', at byte 8");
  CHECK(skip("[true,false,null]") == "accepted");
}

TEST_CASE("json reader: refuses a raw control character in a string") {
  CHECK(string_error("\"a\nb\"") == "f: JSON: expected an escape for a control character, found byte 0x0a, at byte 10");
  CHECK(string_error(std::string_view("\"\0\"", 3)) ==
        "f: JSON: expected an escape for a control character, found byte 0x00, at byte 9");
}

TEST_CASE("json reader: refuses escapes that JSON does not have") {
  CHECK(string_error(R"("\x41")") == "f: JSON: expected one of \"\\/bfnrtu after a backslash, found 'x', at byte 10");
  CHECK(string_error(R"("\U0041")") == "f: JSON: expected one of \"\\/bfnrtu after a backslash, found 'U', at byte 10");
  CHECK(string_error(R"("\u00g1")") == "f: JSON: expected four hexadecimal digits after \\u, found 'g', at byte 13");
  CHECK(string_error(R"("\u12")") == "f: JSON: expected four hexadecimal digits after \\u, found '\"', at byte 13");
}

TEST_CASE("json reader: refuses a lone surrogate escape") {
  CHECK(string_error(R"("\ud800")") == "f: JSON: expected surrogates in pairs, found '\\', at byte 9");
  CHECK(string_error(R"("\ud800x12345")") == "f: JSON: expected surrogates in pairs, found '\\', at byte 9");
  CHECK(string_error(R"("\ud800\n12345")") == "f: JSON: expected surrogates in pairs, found '\\', at byte 9");
  CHECK(string_error(R"("\ud800\u0041")") == "f: JSON: expected surrogates in pairs, found '\\', at byte 9");
  CHECK(string_error(R"("\ud800\ud800")") == "f: JSON: expected surrogates in pairs, found '\\', at byte 9");
  CHECK(string_error(R"("\udc00\ud800")") == "f: JSON: expected surrogates in pairs, found '\\', at byte 9");
}

TEST_CASE("json reader: refuses numbers that JSON does not have") {
  CHECK(skip("-") == "f: JSON: expected a digit, found the end of the text, at byte 9");
  CHECK(skip("1.]") == "f: JSON: expected a digit, found ']', at byte 10");
  CHECK(skip("1e+x") == "f: JSON: expected a digit, found 'x', at byte 11");
  CHECK(skip("012") == "f: JSON: expected no digit after a leading 0, found '1', at byte 9");
  CHECK(skip("+1") == "f: JSON: expected a value, found '+', at byte 8");
  CHECK(skip(".5") == "f: JSON: expected a value, found '.', at byte 8");
  CHECK(skip("1e400") == "f: JSON: expected a number that a double can hold, found '1', at byte 8");
  CHECK(skip("-1.5e+300") == "accepted");
}

TEST_CASE("json reader: refuses as unsigned integer whatever is none") {
  const std::string expected = "f: JSON: expected an unsigned integer up to 18446744073709551615, found ";
  CHECK(number("-1") == expected + "-1, at byte 8");
  CHECK(number("-0") == expected + "-0, at byte 8");
  CHECK(number("1.0") == expected + "1.0, at byte 8");
  CHECK(number("1e2") == expected + "1e2, at byte 8");
  CHECK(number("01") == expected + "01, at byte 8");
  CHECK(number("18446744073709551616") == expected + "18446744073709551616, at byte 8");
  CHECK(number("99999999999999999999") == expected + "99999999999999999999, at byte 8");
  CHECK(number("184467440737095516150") == expected + "184467440737095516150, at byte 8");
  CHECK(number(std::string(50, '7')) == expected + std::string(40, '7') + ", at byte 8");
  CHECK(number("\"1\"") == "f: JSON: expected an unsigned integer, found '\"', at byte 8");
  CHECK(number("null") == "f: JSON: expected an unsigned integer, found 'n', at byte 8");
  CHECK(number("") == "f: JSON: expected an unsigned integer, found the end of the text, at byte 8");
}

TEST_CASE("json reader: refuses another kind of value than asked for") {
  CHECK(error_of("[]", [](json_reader& json) { json.begin_object(); }) ==
        "f: JSON: expected '{', found '[', at byte 8");
  CHECK(error_of("{}", [](json_reader& json) { json.begin_array(); }) == "f: JSON: expected '[', found '{', at byte 8");
  CHECK(error_of("1", [](json_reader& json) { (void)json.read_string(); }) ==
        "f: JSON: expected a string, found '1', at byte 8");
}

TEST_CASE("json reader: values lie at most 127 deep in each other, as with serde_json") {
  CHECK(skip(nested("[", "", "]", 127)) == "accepted");
  CHECK(skip(nested("[", "", "]", 128)) ==
        "f: JSON: expected arrays and objects at most 127 deep in each other, found '[', at byte 135");
  CHECK(skip(nested(R"({"a":)", "1", "}", 127)) == "accepted");
  CHECK(skip(nested(R"({"a":)", "1", "}", 128)) ==
        "f: JSON: expected arrays and objects at most 127 deep in each other, found '{', at byte 643");
  CHECK(skip(std::string("[") + nested("[", "", "]", 126) + "," + nested("[", "", "]", 126) + "]") == "accepted");
  CHECK(skip(std::string(1'000'000, '[')) ==
        "f: JSON: expected arrays and objects at most 127 deep in each other, found '[', at byte 135");
}

TEST_CASE("json reader: errors name the entry that the caller says it is reading") {
  CHECK(error_of("[x", [](json_reader& json) {
          json.begin_array();
          (void)json.next_element();
          json.about("tensor", "w");
          (void)json.read_u64();
        }) == "f: tensor \"w\": JSON: expected an unsigned integer, found 'x', at byte 9");
}

TEST_CASE("json reader: the error carries its facts for programs") {
  arena strings;
  json_reader json("[1", strings, "f", 8);
  try {
    json.skip_value();
    FAIL("accepted");
  } catch (const format_error& error) {
    CHECK(error.path() == "f");
    CHECK(error.offset() == 10);
    CHECK(error.expected() == "',' or ']'");
    CHECK(error.found() == "the end of the text");
  }
}

TEST_CASE("json reader: a number is handed out as it stands there") {
  const auto number = [](std::string_view text) {
    std::string found;
    const std::string said = error_of(text, [&](json_reader& json) { found = json.read_number(); });
    return found.empty() ? said : found;
  };
  CHECK(number(" -0.25e-3 ") == "-0.25e-3");
  CHECK(number("17") == "17");
  CHECK(number("1e309") == "f: JSON: expected a number that a double can hold, found '1', at byte 8");
  CHECK(number("null") == "f: JSON: expected a number, found 'n', at byte 8");
  CHECK(number("-") == "f: JSON: expected a digit, found the end of the text, at byte 9");
  CHECK(number("") == "f: JSON: expected a number, found the end of the text, at byte 8");
}
