#include <ckpt/checkpoint/save.hpp>

#include <doctest/doctest.h>

#include <map>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include <ckpt/checkpoint/load.hpp>
#include <ckpt/format/safetensors.hpp>
#include <ckpt/model/parameter.hpp>

#include <unistd.h>

#include "../io/scratch.hpp"
#include "../support.hpp"

using namespace ckpt;
using scratch::get;
using scratch::message_of;

namespace {

using names = std::vector<std::string>;
using map = std::map<std::string, tensor>;

/// Without waiting for the disk: what a power cut leaves is tested elsewhere.
save_options quick() { return {.durability = ckpt::durability::none}; }

tensor bytes(std::initializer_list<std::uint8_t> values) {
  return tensor({static_cast<std::int64_t>(values.size())}, values);
}

const map small{{"a", bytes({1, 2})}, {"b", bytes({3})}};
const std::string small_file = support::unhex(
    "0a120a0161120d0802120555496e74381a020102"
    "0a110a0162120c0801120555496e74381a0103");

/// A tensor of a few pieces that are reported one by one.
tensor large() {
  tensor t(dtype::uint8, {20 << 20});
  for (std::size_t i = 0; i < t.bytes().size(); i += 4096) t.bytes()[i] = static_cast<std::byte>(i >> 12U);
  return t;
}

template <class Call>
std::string refused(Call call) {
  return message_of<usage_error>(call);
}

}  // namespace

// To a file.

TEST_CASE("save: writes a file, with the suffix, and says what it did") {
  const scratch::directory here;
  const save_report report = save(small, here / "model", quick());
  CHECK(here.names() == names{"model.ckpt"});
  CHECK(get(here / "model.ckpt") == small_file);
  CHECK(report.path == here / "model.ckpt");
  CHECK(report.bytes == small_file.size());
  CHECK(!report.is_durable);
  CHECK(report.seconds_planned >= 0);
  CHECK(report.seconds_written >= 0);
  CHECK(report.seconds_synced >= 0);
}

TEST_CASE("save: durably by default") {
  const scratch::directory here;
  CHECK(save(small, here / "model").path == here / "model.ckpt");
  CHECK(get(here / "model.ckpt") == small_file);
}

TEST_CASE("save: the suffix is added only where it is missing") {
  const scratch::directory here;
  save(small, here / "a.ckpt", quick());
  save(small, here / "a.bin", quick());
  save(small, here / "actckpt", quick());
  save<safetensors>(small, here / "a", quick());
  CHECK(here.names() == names{"a.bin.ckpt", "a.ckpt", "a.safetensors", "actckpt"});
}

TEST_CASE("save: where choose takes nothing of something, the file stays as it was") {
  const scratch::directory here;
  scratch::put(here / "a.ckpt", "old");
  save_options options = quick();
  options.choose = [](std::string_view) { return false; };
  CHECK(message_of<usage_error>([&] { save(small, here / "a", options); }) ==
        here / "a.ckpt" + ": choose takes none of the names of what is saved");
  CHECK(get(here / "a.ckpt") == "old");
  save(std::map<std::string, tensor>{}, here / "a", options);  // there was nothing to choose from
  CHECK(get(here / "a.ckpt").empty());
  options.append = {{"epoch", 3}};
  save(small, here / "b", options);
  CHECK(load(here / "b.ckpt").size() == 1);
}

TEST_CASE("save: mode 0400 as MindSpore, or as asked") {
  const scratch::directory here;
  save(small, here / "a", quick());
  CHECK(scratch::mode_of(here / "a.ckpt") == 0400);
  save_options options = quick();
  options.permissions = 0640;
  save(small, here / "a", options);
  CHECK(scratch::mode_of(here / "a.ckpt") == 0640);
}

TEST_CASE("save: replaces an old file, read only as it may be") {
  const scratch::directory here;
  save(map{{"old", bytes({9})}}, here / "a", quick());
  save(small, here / "a", quick());
  CHECK(get(here / "a.ckpt") == small_file);
  CHECK(here.names() == names{"a.ckpt"});
}

TEST_CASE("save: through a link, to the file behind it") {
  const scratch::directory here;
  REQUIRE(::symlink("real.ckpt", (here / "link.ckpt").c_str()) == 0);
  const save_report report = save(small, here / "link", quick());
  CHECK(report.path == here / "real.ckpt");
  CHECK(get(here / "real.ckpt") == small_file);
  CHECK(here.names() == names{"link.ckpt", "real.ckpt"});
}

TEST_CASE("save refuses: a directory as target") {
  const scratch::directory here;
  std::filesystem::create_directory(here / "model.ckpt");
  CHECK(message_of<io_error>([&] { save(small, here / "model", quick()); }) ==
        here / "model.ckpt" + ": cannot write there: Is a directory");
  CHECK(here.names() == names{"model.ckpt"});
}

TEST_CASE("save refuses: a directory that is not there") {
  const scratch::directory here;
  CHECK(message_of<io_error>([&] { save(small, here / "none/model", quick()); }) ==
        here / "none/model.ckpt" + ": cannot open the directory \"" + here / "none" + "\": No such file or directory");
}

TEST_CASE("save refuses: what the format cannot hold, before anything is written") {
  const scratch::directory here;
  scratch::put(here / "a.ckpt", "old");
  const std::vector<parameter> list{{"w", tensor(dtype::float8_e4m3, {2})}};
  CHECK(refused([&] { save(list, here / "a", quick()); }) ==
        here / "a.ckpt" +
            ": tensor \"w\": a ckpt file cannot hold float8_e4m3; save it as safetensors, or convert it first");
  CHECK(get(here / "a.ckpt") == "old");
  CHECK(here.names() == names{"a.ckpt"});
}

TEST_CASE("save refuses: alignments that are none") {
  const std::string why = "; it must be 0 or a power of two up to 1048576";
  for (const unsigned align : {3U, 48U, 2097152U}) {
    save_options options = quick();
    options.align = align;
    CHECK(refused([&] { (void)save_bytes(small, options); }) == ".align is " + std::to_string(align) + why);
  }
  save_options options = quick();
  options.align = 1048576;
  CHECK(save_bytes(small, options).size() > 1048576);
}

// Progress.

TEST_CASE("save: progress starts at 0, grows, and ends with the total") {
  const scratch::directory here;
  const tensor big = large();
  const map two{{"a", big}, {"b", bytes({1})}};
  std::vector<progress> seen;
  save_options options = quick();
  options.progress = [&](progress p) { seen.push_back(p); };
  const save_report report = save(two, here / "a", options);
  REQUIRE(seen.size() >= 4);
  CHECK(seen.front().done == 0);
  CHECK(seen.back().done == report.bytes);
  bool grows = true;
  for (std::size_t i = 0; i < seen.size(); ++i)
    grows = grows && seen[i].total == report.bytes && (i == 0 || seen[i].done > seen[i - 1].done);
  CHECK(grows);
}

TEST_CASE("save: progress of nothing at all") {
  std::vector<progress> seen;
  save_options options = quick();
  options.progress = [&](progress p) { seen.push_back(p); };
  CHECK(save_bytes(map{}, options).empty());
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].done == 0);
  CHECK(seen[0].total == 0);
}

TEST_CASE("save: a callback that throws leaves the old file whole, and nothing beside it") {
  const scratch::directory here;
  scratch::put(here / "a.ckpt", "old");
  const map one{{"a", large()}};
  for (int calls = 1; calls <= 4; ++calls) {
    save_options options = quick();
    options.progress = [left = calls](progress) mutable {
      if (--left == 0) throw std::runtime_error("stop");
    };
    CHECK(message_of<std::runtime_error>([&] { save(one, here / "a", options); }) == "stop");
    CHECK(get(here / "a.ckpt") == "old");
    CHECK(here.names() == names{"a.ckpt"});
  }
}

TEST_CASE("save: a choose that throws writes nothing") {
  const scratch::directory here;
  save_options options = quick();
  options.choose = [](std::string_view) -> bool { throw std::runtime_error("stop"); };
  CHECK(message_of<std::runtime_error>([&] { save(small, here / "a", options); }) == "stop");
  CHECK(here.names().empty());
}

// Append, choose, duplicates.

TEST_CASE("save: appended values come after the save object, chosen or not") {
  save_options options = quick();
  options.append = {{"epoch", 3}, {"note", "text"}};
  options.choose = [](std::string_view name) { return name == "b"; };
  const state_dict dict = load(save_bytes(small, options));
  CHECK(dict.size() == 3);
  CHECK(dict["b"].item<std::uint8_t>() == 3);
  CHECK(dict["epoch"].item<int>() == 3);
  CHECK(dict["note"].text() == "text");
  CHECK((*dict.begin()).first == "b");
}

TEST_CASE("save refuses: a name that comes in the save object and is appended") {
  save_options options = quick();
  options.append = {{"a", 3}};
  CHECK(refused([&] { (void)save_bytes(small, options); }) ==
        "<memory>: tensor \"a\": the name is given twice; rename one, or save with .duplicates = "
        "ckpt::duplicates::keep_last");
}

TEST_CASE("save: with keep_last an appended value takes the place of the first") {
  save_options options = quick();
  options.duplicates = duplicates::keep_last;
  options.append = {{"a", "text"}, {"c", 1}, {"c", true}};
  const state_dict dict = load(save_bytes(small, options));
  std::string order;
  for (const auto& [name, value] : dict) order.append(name).append(" ");
  CHECK(order == "a b c ");
  CHECK(dict["a"].text() == "text");
  CHECK(dict["c"].item<bool>());
}

// To sinks and memory.

namespace {

struct hash_sink {
  std::uint64_t hash = 0;
  std::uint64_t size = 0;
  void write(std::span<const std::byte> bytes) {
    for (const std::byte byte : bytes) hash = hash * 31 + std::to_integer<std::uint64_t>(byte);
    size += bytes.size();
  }
};

struct full_sink {
  static void write(std::span<const std::byte>) { throw std::runtime_error("full"); }
};

}  // namespace

TEST_CASE("save: the same bytes to a file, to memory and to any sink") {
  const scratch::directory here;
  const std::vector<std::byte> memory = save_bytes(small);
  CHECK(support::text(memory) == small_file);
  hash_sink expected;
  expected.write(memory);
  hash_sink to;
  const save_report report = save(small, to);
  CHECK(to.hash == expected.hash);
  CHECK(to.size == small_file.size());
  CHECK(report.bytes == small_file.size());
  CHECK(report.path.empty());
  CHECK(!report.is_durable);
  std::vector<std::byte> appended{std::byte{7}};
  memory_sink sink(appended);
  save<safetensors>(small, sink);
  CHECK(support::text(appended).substr(1) == support::text(save_bytes<safetensors>(small)));
}

TEST_CASE("save: what a sink throws comes through") {
  full_sink to;
  CHECK(message_of<std::runtime_error>([&] { save(small, to); }) == "full");
}

TEST_CASE("save: errors of a save to a sink or memory say so") {
  full_sink to;
  const std::vector<parameter> list{{"w", tensor(dtype::float8_e4m3, {2})}};
  CHECK(refused([&] { save(list, to); }).starts_with("<sink>: tensor \"w\": "));
  CHECK(refused([&] { (void)save_bytes(list); }).starts_with("<memory>: tensor \"w\": "));
}

TEST_CASE("save: metadata and alignment reach the format") {
  const state_dict dict = load(save_bytes<safetensors>(small, {.metadata = {{"author", "me"}}}));
  REQUIRE(dict.metadata().size() == 2);
  CHECK(dict.metadata()[1] == file_index::metadata_pair("author", "me"));
  const state_dict plain = load(save_bytes<safetensors>(small, {.format_pair = format_pair::as_given}));
  CHECK(plain.metadata().empty());
  const std::vector<std::byte> aligned = save_bytes(small, {.align = 64});
  for (const index_entry& entry : read_index(memory_source(aligned))) CHECK(entry.extents()[0].offset % 64 == 0);
}

// A format of one's own.

namespace {

/// Names and contents, one line each.
struct lines {
  static constexpr std::string_view name = "lines";
  static constexpr std::string_view suffix = "txt";
  static plan make_plan(const entries& given, const format_options&) {
    plan made;
    for (const entry& next : given) {
      if (next.kind == entry_kind::map) throw usage_error(errc::unsupported, {.path = given.label()}, "no maps");
      put(made, std::string(next.name) + "=");
      made.add_content(next, 0, next.size_bytes);
      put(made, "\n");
    }
    return made;
  }
  static file_index read_index(const source& from) { return {name, from.label(), from.size()}; }

 private:
  static void put(plan& to, std::string_view text) {
    const std::span<std::byte> bytes = to.add_owned(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) bytes[i] = static_cast<std::byte>(text[i]);
  }
};

static_assert(file_format<lines>);

}  // namespace

TEST_CASE("save: a format of one's own works beside ours") {
  const scratch::directory here;
  save_options options = quick();
  options.append = {{"note", "text"}};
  options.permissions = 0600;
  const save_report report = save<lines>(map{{"w", bytes({'1', '2'})}}, here / "a", options);
  CHECK(report.path == here / "a.txt");
  CHECK(get(here / "a.txt") == "w=12\nnote=text\n");
  CHECK(support::text(save_bytes<lines>(small)) == "a=\1\2\nb=\3\n");
}

// What load returned.

TEST_CASE("save: what was loaded is saved again byte for byte, in both formats, however it was loaded") {
  const std::vector<std::pair<std::string, std::variant<tensor, std::string>>> object{
      {"w", tensor({2, 3}, {1.0F, 2.0F, 3.0F, 4.0F, 5.0F, 6.0F})},
      {"none", tensor(dtype::int16, {0, 3})},
      {"note", "d\u00eda"},
      {"scalar", tensor(shape{}, {7})},
      {"int4", tensor(dtype::int4, {3})},
      {"another note", ""},
      {"", tensor(dtype::int4, {1})}};
  const auto check = [](const std::vector<std::byte>& bytes, auto again) {
    CHECK(again(load(bytes)) == bytes);
    CHECK(again(load(bytes, {.read = read::copy})) == bytes);
    const scratch::directory here;
    scratch::put(here / "a", support::text(bytes));
    CHECK(again(load(here / "a")) == bytes);
  };
  check(save_bytes(object), [](const state_dict& dict) { return save_bytes(dict); });
  check(save_bytes<safetensors>(object), [](const state_dict& dict) { return save_bytes<safetensors>(dict); });
}

TEST_CASE("save: over the file that its own views show") {
  const scratch::directory here;
  save(small, here / "a", quick());
  const state_dict dict = load(here / "a.ckpt");
  save_options options = quick();
  options.append = {{"epoch", 1}};
  save(dict, here / "a", options);
  CHECK(dict["b"].item<std::uint8_t>() == 3);  // the old file, as long as it is mapped
  const state_dict again = load(here / "a.ckpt");
  CHECK(again.size() == 3);
  CHECK(support::hex(again["a"].bytes()) == "0102");
  save(again, here / "a", quick());
  CHECK(load(here / "a.ckpt").size() == 3);
}

TEST_CASE("save: from one format to the other and back") {
  const std::vector<std::byte> first = save_bytes<mindspore>(small);
  const state_dict loaded = load(first);
  const std::vector<std::byte> second = save_bytes<safetensors>(loaded);
  const state_dict other = load(second);
  CHECK(save_bytes<mindspore>(other) == first);
}

TEST_CASE("save: a temporary as save object") {
  CHECK(support::text(save_bytes(map{{"a", bytes({1, 2})}, {"b", bytes({3})}})) == small_file);
  CHECK(support::text(save_bytes(std::vector<parameter>{{"a", bytes({1, 2})}, {"b", bytes({3})}})) == small_file);
}
