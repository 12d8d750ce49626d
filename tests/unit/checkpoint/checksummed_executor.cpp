#include <ckpt/checkpoint/checksummed_executor.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <ckpt/async.hpp>
#include <ckpt/checksum/crc32.hpp>
#include <ckpt/checksum/crc32_cryptopp.hpp>
#include <ckpt/ckpt.hpp>
#include <ckpt/task/companion.hpp>

#include "../checksum/implementations.hpp"
#include "../checksum/own_checksum.hpp"
#include "../format/planned.hpp"
#include "../io/scratch.hpp"

using namespace ckpt;
using namespace std::string_literals;

namespace {

/// Takes bytes in order and nothing else.
struct plain_sink {
  std::string all;
  void write(std::span<const std::byte> bytes) { all += support::text(bytes); }
};

using model = std::vector<std::pair<std::string, tensor>>;

std::string be(std::uint32_t value) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
  return out;
}

template <class... Policies, class Object>
std::string saved(const Object& object, const save_options& options = {}) {
  return support::text(save_bytes<Policies...>(object, options));
}

/// What the checksum of a safetensors file is over, by its index.
std::string counted(const std::string& file) {
  const file_index index = inspect(support::bytes(file));
  std::map<std::string, std::string> contents;
  for (const index_entry& entry : index)
    if (entry.kind() == entry_kind::tensor)
      contents[std::string(entry.name())] = file.substr(static_cast<std::size_t>(entry.extents()[0].offset),
                                                        static_cast<std::size_t>(entry.extents()[0].size));
  std::string all;
  for (const auto& [name, content] : contents) all += name + content;
  return all;
}

/// A safetensors file whose checksum has this value; the slot stands where it must.
template <std::uint32_t Value>
void check_slot() {
  const model net{{"w", tensor({2}, {1.0f, 2.0f})}};
  const std::string number = std::to_string(Value);
  const std::string file = saved<safetensors, support::always<Value>>(net);
  const std::string slot = "\"crc_num\":\"" + number + "\"" + std::string(10 - number.size(), ' ') + "}";
  CHECK(file.find(slot) == file.find("\"crc_num\""));
  const state_dict loaded = load(support::bytes(file));
  CHECK(loaded.has_checksum());
  CHECK(loaded.metadata()[1] == file_index::metadata_pair("crc_num", number));
  CHECK(loaded["w"].to_vector<float>() == std::vector<float>{1, 2});
  plain_sink to;
  save<safetensors, support::always<Value>>(net, to);
  CHECK(to.all == file);
}

/// A net whose order in a safetensors file is not that of the names.
model mixed() {
  return {{"b.double", tensor({2}, {1.5, -2.0})},
          {"a.byte", tensor({3}, {std::uint8_t{1}, std::uint8_t{2}, std::uint8_t{3}})},
          {"c.int", tensor({1}, {std::int32_t{7}})},
          {"none", tensor(dtype::float32, {0, 3})},
          {"a.float", tensor({2, 2}, {1.0f, 2.0f, 3.0f, 4.0f})}};
}

}  // namespace

TEST_CASE("checksum of a ckpt file: a trailer over all that stands before it") {
  const model net = mixed();
  const std::string plain = saved(net);
  const std::string wanted = plain + "crc_num" + std::string(6, '\0') + be(support::crc32_by_bits(plain));
  CHECK(saved<crc32>(net) == wanted);
  CHECK(saved<crc32_cryptopp>(net) == wanted);
  CHECK(saved<mindspore, crc32>(net) == wanted);
  CHECK(saved<policies<crc32>>(net) == wanted);
  plain_sink to;
  CHECK(save<crc32>(net, to).checksum == support::crc32_by_bits(plain));
  CHECK(to.all == wanted);
  CHECK(!save(net, to).has_checksum);
  const state_dict loaded = load(support::bytes(wanted));
  CHECK(loaded.has_checksum());
  CHECK(!load(support::bytes(plain)).has_checksum());
  CHECK(saved(loaded) == plain);
}

TEST_CASE("checksum of a ckpt file that holds nothing") {
  CHECK(saved<crc32>(model{}) == "crc_num" + std::string(10, '\0'));
}

TEST_CASE("checksum of a ckpt file whose content ends like one: nothing has to hide it") {
  const std::string text = "crc_num0000000001";
  tensor content(dtype::uint8, {17});
  for (std::size_t i = 0; i < 17; ++i) content.bytes()[i] = static_cast<std::byte>(text[i]);
  const model net{{"w", std::move(content)}};
  const std::string file = saved<crc32>(net);
  const std::string stream = file.substr(0, file.size() - 17);
  CHECK(stream.ends_with(text));
  CHECK(file.ends_with("crc_num" + std::string(6, '\0') + be(support::crc32_by_bits(stream))));
  const state_dict loaded = load(support::bytes(file));
  CHECK(loaded.has_checksum());
  CHECK(loaded["w"].size_bytes() == 17);
  CHECK(saved<crc32>(loaded) == file);
}

TEST_CASE("checksum of a safetensors file: names in order, each with its bytes") {
  const model net = mixed();
  const std::string file = saved<safetensors, crc32>(net);
  const std::uint32_t wanted = support::crc32_by_bits(counted(file));
  const file_index inspected = inspect(support::bytes(file));
  CHECK(inspected.metadata()[1] == file_index::metadata_pair("crc_num", std::to_string(wanted)));
  CHECK(saved<safetensors, crc32_cryptopp>(net) == file);
  plain_sink to;
  CHECK(save<safetensors, crc32>(net, to).checksum == wanted);
  CHECK(to.all == file);
  // Saved again without one, nothing of it is left.
  CHECK(saved<safetensors>(load(support::bytes(file))) == saved<safetensors>(net));
}

TEST_CASE("checksum of a safetensors file: 1 to 10 digits in a slot of one width") {
  check_slot<0>();
  check_slot<9>();
  check_slot<10>();
  check_slot<123>();
  check_slot<1234>();
  check_slot<12345>();
  check_slot<123456>();
  check_slot<1234567>();
  check_slot<12345678>();
  check_slot<123456789>();
  check_slot<4294967295>();
}

TEST_CASE("checksum of a safetensors file: an integer without axes counts as so many zeros, as MindSpore has it") {
  struct row {
    tensor value;
    std::string counted;
  };
  const row rows[] = {{tensor(shape{}, {std::int64_t{3}}), std::string(3, '\0')},
                      {tensor(shape{}, {std::uint8_t{200}}), std::string(200, '\0')},
                      {tensor(shape{}, {std::int16_t{0}}), ""},
                      {tensor(shape{}, {std::int8_t{-1}}), "\xff"},
                      {tensor(shape{}, {std::uint64_t{1} << 63}), "\0\0\0\0\0\0\0\x80"s},
                      {tensor(shape{}, {true}), "\1"},
                      {tensor(shape{}, {1.0f}), "\0\0\x80\x3f"s},
                      {tensor({1}, {std::int16_t{3}}), "\3\0"s}};
  for (const row& each : rows) {
    const std::map<std::string, tensor_view> net{{"n", each.value}};
    CHECK(saved<safetensors, crc32>(net).find("\"" + std::to_string(support::crc32_by_bits("n" + each.counted)) +
                                              "\"") != std::string::npos);
  }
}

TEST_CASE("checksum of a safetensors file that holds no tensor") {
  const std::string file = saved<safetensors, crc32>(model{});
  CHECK(file ==
        "\x38\0\0\0\0\0\0\0"s
        R"({"__metadata__":{"format":"ms","crc_num":"0"         }} )");
  CHECK(load(support::bytes(file)).has_checksum());
}

TEST_CASE("checksum of a safetensors file: metadata, strings and appended values beside it") {
  const model net = mixed();
  const save_options options{
      .append = {{"note", "text"}, {"epoch", 3}}, .align = 4096, .metadata = {{"format", "pt"}, {"by", "me"}}};
  const std::string file = saved<safetensors, crc32>(net, options);
  CHECK(file.find(R"({"__metadata__":{"format":"pt","crc_num":")") == 8);
  const state_dict loaded = load(support::bytes(file));
  CHECK(loaded["note"].text() == "text");
  CHECK(loaded["epoch"].item<std::int64_t>() == 3);
  plain_sink to;
  save<safetensors, crc32>(net, to, options);
  CHECK(to.all == file);
}

TEST_CASE("checksum of a safetensors file refuses a crc_num of the caller's") {
  const model net = mixed();
  CHECK(support::message_of<usage_error>([&] { saved<safetensors, crc32>(net, {.metadata = {{"crc_num", "1"}}}); }) ==
        "<memory>: the metadata given has a \"crc_num\", and the checksum of this save is to be there");
}

TEST_CASE("checksums: strided, large and many tensors, into files, memory and sinks alike") {
  std::vector<float> grid(300 * 1000);
  for (std::size_t i = 0; i < grid.size(); ++i) grid[i] = static_cast<float>(i);
  std::vector<double> large(3 << 20);
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<double>(i) / 3;
  std::map<std::string, tensor_view> net{
      {"strided", tensor_view::strided(dtype::float32, {1000, 300}, grid.data(), {1, 1000})},
      {"large", tensor_view(std::span<const double>(large), {3 << 20})}};
  const std::span<const float> one(grid.data(), 1);
  for (int i = 0; i < 2000; ++i) net.emplace("small" + std::to_string(i), tensor_view(one, {1}));

  const scratch::directory folder;
  const std::string path = folder / "net";
  const std::string ckpt_file = saved<crc32>(net);
  const std::string plain = saved(net);
  CHECK(ckpt_file == plain + "crc_num" + std::string(6, '\0') + be(support::checksum_of<crc32>(plain)));
  const save_report report = save<crc32>(net, path);
  CHECK(report.bytes == ckpt_file.size());
  CHECK(report.has_checksum);
  CHECK(report.checksum == support::checksum_of<crc32>(plain));
  CHECK(scratch::get(report.path) == ckpt_file);

  const std::string file = saved<safetensors, crc32>(net);
  CHECK(file.find("\"" + std::to_string(support::checksum_of<crc32>(counted(file))) + "\"") != std::string::npos);
  CHECK(scratch::get(save<safetensors, crc32>(net, path).path) == file);
  plain_sink to;
  save<safetensors, crc32>(net, to);
  CHECK(to.all == file);
  CHECK(saved<safetensors, support::adler32>(net).size() == file.size());
}

TEST_CASE(
    "checksums: progress goes up to the size of the file, and a second save to one sink does not touch the first") {
  const model net = mixed();
  std::vector<std::uint64_t> done;
  std::uint64_t total = 0;
  const save_options options{.progress = [&](progress p) {
    done.push_back(p.done);
    total = p.total;
  }};
  const std::string file = saved<crc32>(net, options);
  CHECK(done.front() == 0);
  CHECK(done.back() == file.size());
  CHECK(total == file.size());
  std::vector<std::byte> both(1, std::byte{'>'});
  memory_sink to(both);
  save<safetensors, crc32>(net, to);
  save<safetensors, crc32>(net, to);
  const std::string one = saved<safetensors, crc32>(net);
  CHECK(support::text(both) == ">" + one + one);
}

namespace {

/// A format of the user's that knows of no checksums, or has it in a wrong place.
template <int Mistake>
struct own_format {
  static constexpr std::string_view name = "own";
  static constexpr std::string_view suffix = "own";
  static plan make_plan(const entries&, const format_options& options) {
    plan result;
    const std::span<std::byte> bytes = result.add_owned(8);
    for (std::byte& each : bytes) each = std::byte{'.'};
    if (!options.checksum || Mistake == 1) return result;
    checksum_place place{.offset = 2, .size = 4, .render = [](std::uint32_t value, byte_span to) {
                           for (std::size_t i = 0; i < 4; ++i)
                             to[i] = static_cast<std::byte>(value >> (24 - 8 * i) & 0xff);
                         }};
    place.parts.push_back({.offset = 0, .size = 2});
    place.parts.push_back({.offset = Mistake == 2 ? 1U : 6U, .size = 2});
    if (Mistake == 3) place.offset = 6;
    result.set_checksum(std::move(place));
    return result;
  }
  static file_index read_index(const source& from) { return {name, from.label(), from.size()}; }
};

}  // namespace

TEST_CASE("checksums in a format of the user's, by a checksum of the user's") {
  CHECK(saved<own_format<0>>(model{}) == "........");
  CHECK(saved<own_format<0>, crc32>(model{}) == ".." + be(support::crc32_by_bits("....")) + "..");
  CHECK(saved<own_format<0>, support::adler32>(model{}) == "..\x01\xd0\x00\xb9.."s);
}

TEST_CASE("checksums: a format without a place for one, or with a wrong one, is refused before anything is written") {
  const scratch::directory folder;
  const std::string path = folder / "net.own";
  const auto refused = [&](auto format) {
    return support::message_of<usage_error>([&] { save<decltype(format), crc32>(model{}, path); });
  };
  CHECK(refused(own_format<1>{}) == path + ": this format has no place for a checksum: save without crc32");
  const std::string wrong =
      path + ": the plan of this format has its checksum, or what that is over, past its end or twice";
  CHECK(refused(own_format<2>{}) == wrong);
  CHECK(refused(own_format<3>{}) == wrong);
  CHECK(folder.names().empty());
}

namespace {

/// CRC-32 that knows on which threads it was computed.
class watched {
 public:
  static constexpr std::string_view name = "crc32";
  using companion = ckpt::companion;
  static inline std::thread::id caller;
  static inline std::atomic<int> there{0};  // updates by other threads

  watched() = default;
  explicit watched(std::uint32_t value) : m_sum(value) {}
  void update(std::span<const std::byte> bytes) {
    m_sum.update(bytes);
    if (std::this_thread::get_id() != caller) ++there;
  }
  [[nodiscard]] std::uint32_t value() const { return m_sum.value(); }
  static std::uint32_t combine(std::uint32_t a, std::uint32_t b, std::uint64_t size) {
    return crc32::combine(a, b, size);
  }

 private:
  crc32 m_sum;
};

/// Does not end a large write before another thread has summed.
struct patient_sink {
  bool is_patient = true;
  void write(std::span<const std::byte> bytes) const {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (is_patient && bytes.size() >= executor::large_piece && watched::there == 0 &&
           std::chrono::steady_clock::now() < limit)
      std::this_thread::yield();
  }
};

int sums_on_other_threads(std::size_t size, unsigned threads) {
  const std::vector<std::uint8_t> content(size);
  const std::map<std::string, tensor_view> net{
      {"w", tensor_view(std::span<const std::uint8_t>(content), {static_cast<std::int64_t>(size)})}};
  watched::caller = std::this_thread::get_id();
  watched::there = 0;
  save<watched>(net, patient_sink{threads != 1 && size >= executor::large_file}, {.threads = threads});
  return watched::there;
}

/// Has room for so many bytes.
struct narrow_sink {
  std::uint64_t room;
  void write(std::span<const std::byte> bytes) {
    if (bytes.size() > room) throw std::runtime_error("full");
    room -= bytes.size();
  }
  void overwrite(std::uint64_t, std::span<const std::byte>) { throw std::runtime_error("overwritten"); }
};

/// Tensors of sizes around those from which on something is done in another way, some of them strided.
class borderline {
 public:
  borderline() : m_content(executor::piece + 64) {
    support::numbers random(3);
    for (std::uint8_t& each : m_content) each = static_cast<std::uint8_t>(random.next() >> 56);
    constexpr std::size_t kib = 1024;
    for (const std::size_t size : {std::size_t{1}, 64 * kib - 1, 64 * kib, 256 * kib - 200, 256 * kib - 1, 256 * kib,
                                   256 * kib + 1, 1024 * kib, executor::piece - 1, executor::piece + 1}) {
      add("even", size, {static_cast<std::int64_t>(size)}, {1});
      if (size < 2048 * kib)
        add("strided", size, {static_cast<std::int64_t>(size / 2), 2}, {1, static_cast<std::int64_t>(size / 2)});
      add("small", 3, {3}, {1});
    }
  }

  std::map<std::string, tensor_view> net;

 private:
  void add(const char* kind, std::size_t size, shape extents, shape strides) {
    const std::string name = std::to_string(net.size()) + kind + std::to_string(size);
    net.emplace(name, tensor_view::strided(dtype::uint8, extents, m_content.data() + net.size() % 7, strides));
  }

  std::vector<std::uint8_t> m_content;
};

}  // namespace

TEST_CASE("checksums: a second thread sums large files, where it may") {
  CHECK(sums_on_other_threads(executor::large_file + 5, 2) > 0);
  CHECK(sums_on_other_threads(executor::large_file + 5, 1) == 0);
  CHECK(sums_on_other_threads(executor::large_file / 2, 2) == 0);
}

TEST_CASE_TEMPLATE("checksums: one thread or more, the same sum of what was written", Checksum, crc32, crc32_cryptopp) {
  const borderline all;
  const scratch::directory folder;
  const std::string plain = saved(all.net);
  const std::string ckpt_file =
      plain + "crc_num" + std::string(6, '\0') + be(support::checksum_of<crc32_cryptopp>(plain));
  std::string safetensors_file;
  for (const unsigned threads : {1U, 2U}) {
    const save_options options{.durability = durability::none, .threads = threads};
    CHECK((saved<Checksum>(all.net, options) == ckpt_file));
    CHECK((scratch::get(save<Checksum>(all.net, folder / "net", options).path) == ckpt_file));
    plain_sink to;
    save<Checksum>(all.net, to, options);
    CHECK((to.all == ckpt_file));

    const std::string file = saved<safetensors, Checksum>(all.net, options);
    const std::uint32_t sum = support::checksum_of<crc32_cryptopp>(counted(file));
    CHECK((file.find("\"crc_num\":\"" + std::to_string(sum) + "\"") != std::string::npos));
    CHECK((safetensors_file.empty() || file == safetensors_file));
    safetensors_file = file;
    const save_report report = save<safetensors, Checksum>(all.net, folder / "net", options);
    CHECK(report.checksum == sum);
    CHECK((scratch::get(report.path) == file));
  }
}

TEST_CASE("checksums: a save in the background reports the sum, whoever made it") {
  const std::map<std::string, std::vector<float>> net{{"w", {1, 2, 3}}};
  const std::uint32_t sum = support::checksum_of<crc32_cryptopp>(saved(net));
  const scratch::directory folder;
  for (const async mode : {async::thread, async::process, async::borrow}) {
    CAPTURE(static_cast<int>(mode));
    const async_options options{.durability = durability::none, .mode = mode};
    const save_report report = save_async<crc32>(net, folder / "net", options).get();
    CHECK(report.has_checksum);
    CHECK(report.checksum == sum);
  }
}

TEST_CASE("checksums: bytes that are read from a source while they are written") {
  std::string content(9 << 20, '\0');
  support::numbers random(5);
  for (char& each : content) each = static_cast<char>(random.next() >> 56);
  const memory_source from(support::bytes(content), "<source>");
  const gather all{.view = nullptr, .first = 0, .from = &from};
  plan what;
  what.add(segment(all, content.size()));
  checksum_place place{.offset = content.size(), .size = 4, .render = [](std::uint32_t, byte_span) {}};
  place.parts.push_back({.offset = 0, .size = content.size()});
  what.set_checksum(std::move(place));
  for (const unsigned threads : {1U, 2U}) {
    checksummed_executor<crc32> execute(what, {.threads = threads});
    for (int twice = 0; twice < 2; ++twice) {
      plain_sink to;
      execute.run(to, [](std::uint64_t) {});
      CHECK((to.all.substr(0, content.size()) == content));
      CHECK(execute.has_checksum());
      CHECK(execute.checksum() == support::checksum_of<crc32_cryptopp>(content));
    }
  }
}

TEST_CASE("checksums: a sink or a callback that fails ends the save, on as many threads as it has") {
  const borderline all;
  const std::uint64_t size = saved<crc32>(all.net).size();
  for (const unsigned threads : {1U, 2U})
    for (std::uint64_t room = 0; room < size; room += 5 << 20) {
      const save_options options{.threads = threads};
      const auto failed = [&](auto format) {
        return support::message_of<std::runtime_error>(
            [&] { save<decltype(format), crc32>(all.net, narrow_sink{room}, options); });
      };
      CHECK(failed(mindspore{}) == "full");
      CHECK(failed(safetensors{}) == "full");
      const save_options stopped{.progress =
                                     [&](progress now) {
                                       if (now.done >= room) throw std::runtime_error("stopped");
                                     },
                                 .threads = threads};
      CHECK(support::message_of<std::runtime_error>([&] { save<crc32>(all.net, narrow_sink{size}, stopped); }) ==
            "stopped");
    }
  CHECK(support::message_of<std::runtime_error>([&] { save<safetensors, crc32>(all.net, narrow_sink{2 * size}); }) ==
        "overwritten");
}
