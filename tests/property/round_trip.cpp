// Random save objects, saved and loaded again in both formats: what comes back is what was given.
//
// usage: round_trip [ROUNDS [SEED]]      a fixed seed unless told; a failure names the seed of its round

#include <algorithm>
#include <cinttypes>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <ckpt/ckpt.hpp>

#include <unistd.h>

namespace {

struct item {
  std::string name;
  bool is_text = false;
  std::string text;
  ckpt::dtype type = ckpt::dtype::uint8;
  std::vector<std::int64_t> extents;
  std::vector<std::byte> bytes;
};

using items = std::vector<item>;
using given_value = std::variant<std::string, std::string_view, ckpt::tensor, ckpt::tensor_view>;
using object = std::vector<std::pair<std::string, given_value>>;

void require(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error(what);
}

class generator {
 public:
  explicit generator(std::uint64_t seed) : m_random(seed) {}

  std::uint64_t below(std::uint64_t end) { return m_random() % end; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  template <class T>
  const T& any_of(const std::vector<T>& values) {
    return values[below(values.size())];
  }

  char32_t character() {
    switch (below(8)) {
      case 0: return static_cast<char32_t>(1 + below(0x7f));                             // controls, quotes, backslash
      case 1: return static_cast<char32_t>(0x80 + below(0x780));                         // two bytes
      case 2: return static_cast<char32_t>(one_in(2) ? 0x4e00 + below(0x100) : 0xffff);  // three
      case 3: return static_cast<char32_t>(one_in(2) ? 0x10ffff : 0x1f600 + below(0x40));  // four
      case 4: return U'.';
      default: return static_cast<char32_t>(U'a' + below(26));
    }
  }

  std::string words(std::uint64_t longest) {
    std::string out;
    for (std::uint64_t left = below(longest + 1); left > 0; --left) {
      char bytes[4];
      out.append(bytes, ckpt::encode_utf8(character(), bytes));
    }
    return out;
  }

  std::string name() {
    if (one_in(40)) return words(1024);
    return words(12);
  }

  std::vector<std::int64_t> extents(ckpt::dtype type) {
    std::vector<std::int64_t> result;
    for (std::uint64_t rank = below(5); rank > 0; --rank)
      result.push_back(static_cast<std::int64_t>(one_in(12) ? 0 : 1 + below(6)));
    if (ckpt::info(type).bits % 8 != 0) result.push_back(4);  // elements of 4 and 6 bits end with a byte
    if (one_in(200)) result.assign(1, 1 << 17);
    return result;
  }

  std::vector<std::byte> content(ckpt::dtype type, std::uint64_t size) {
    std::vector<std::byte> bytes(size);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(type == ckpt::dtype::boolean ? below(2) : below(256));
    if (size >= 17 && type == ckpt::dtype::uint8 && one_in(4))
      std::memcpy(bytes.data() + size - 17, "crc_num\0\0\0\0\0\0\0\0\0",
                  17);  // what MindSpore's loader takes for a checksum
    return bytes;
  }

  item entry(std::string_view ckpt::dtype_info::* column, bool text) {
    item made;
    made.name = name();
    if (text) {
      made.is_text = true;
      made.text = words(30);
      return made;
    }
    do made.type = ckpt::dtype_table[below(ckpt::dtype_table.size())].type;
    while ((ckpt::info(made.type).*column).empty() && made.type != ckpt::dtype::int4);
    made.extents = extents(made.type);
    made.bytes = content(made.type, *ckpt::content_size(made.type, made.extents));
    return made;
  }

  /// Entries of different names.
  items entries(std::string_view ckpt::dtype_info::* column, bool with_text) {
    items made;
    std::set<std::string> names{"__metadata__"};
    for (std::uint64_t left = below(one_in(20) ? 300 : 12); left > 0; --left) {
      item next = entry(column, with_text && one_in(4));
      if (names.insert(next.name).second) made.push_back(std::move(next));
    }
    return made;
  }

 private:
  std::mt19937_64 m_random;
};

/// Memory that holds `what` with strides: the axes in another order, gaps between elements, some axes backwards.
class strided_copy {
 public:
  strided_copy(const item& what, generator& random) : m_strides(what.extents.size()) {
    const std::size_t rank = what.extents.size();
    const std::size_t width = ckpt::info(what.type).bits / 8u;
    std::vector<std::size_t> order(rank);
    for (std::size_t axis = 0; axis < rank; ++axis) order[axis] = axis;
    for (std::size_t axis = rank; axis > 1; --axis) std::swap(order[axis - 1], order[random.below(axis)]);
    std::int64_t step = 1;
    std::int64_t first = 0;
    for (const std::size_t axis : order) {
      step *= 1 + static_cast<std::int64_t>(random.below(2));
      m_strides[axis] = random.one_in(3) ? -step : step;
      if (m_strides[axis] < 0) first += step * (what.extents[axis] - 1);
      step *= what.extents[axis];
    }
    m_memory.resize(static_cast<std::size_t>(step) * width);
    const std::size_t count = what.bytes.size() / width;
    std::vector<std::int64_t> index(rank);
    for (std::size_t element = 0; element < count; ++element) {
      std::int64_t at = first;
      for (std::size_t axis = 0; axis < rank; ++axis) at += index[axis] * m_strides[axis];
      std::memcpy(m_memory.data() + static_cast<std::size_t>(at) * width, what.bytes.data() + element * width, width);
      for (std::size_t axis = rank; axis-- > 0;) {
        if (++index[axis] < what.extents[axis]) break;
        index[axis] = 0;
      }
    }
    m_first = m_memory.data() + (count > 0 ? static_cast<std::size_t>(first) * width : 0);
  }

  ckpt::tensor_view view(const item& what) const {
    return ckpt::tensor_view::strided(what.type, ckpt::shape(what.extents), m_first, ckpt::shape(m_strides));
  }

 private:
  std::vector<std::int64_t> m_strides;
  std::vector<std::byte> m_memory;
  const std::byte* m_first = nullptr;
};

/// The entries as a user gives them: owning, borrowed, or strided.
object given(const items& from, generator& random, std::vector<strided_copy>& memory) {
  object result;
  memory.reserve(from.size());
  for (const item& next : from) {
    if (next.is_text) {
      result.emplace_back(next.name,
                          random.one_in(2) ? given_value(next.text) : given_value(std::string_view(next.text)));
    } else if (ckpt::info(next.type).bits % 8 == 0 && random.one_in(3)) {
      memory.emplace_back(next, random);
      result.emplace_back(next.name, memory.back().view(next));
    } else if (random.one_in(2)) {
      result.emplace_back(next.name, ckpt::tensor_view(next.type, ckpt::shape(next.extents), next.bytes));
    } else {
      result.emplace_back(next.name, ckpt::tensor::from_bytes(next.type, ckpt::shape(next.extents), next.bytes));
    }
  }
  return result;
}

void require_same(const item& expected, const ckpt::state_value& found) {
  const std::string what = "entry \"" + expected.name + "\": ";
  require(found.name() == expected.name, what + "another name: " + std::string(found.name()));
  require(found.kind() == (expected.is_text ? ckpt::entry_kind::string : ckpt::entry_kind::tensor),
          what + "another kind");
  if (expected.is_text) {
    require(found.text() == expected.text, what + "another text");
    return;
  }
  require(found.type() == expected.type, what + "another dtype: " + std::string(ckpt::name(found.type())));
  require(std::ranges::equal(found.shape(), expected.extents),
          what + "another shape: " + ckpt::to_string(found.shape()));
  require(std::ranges::equal(found.bytes(), expected.bytes), what + "other bytes");
}

void require_in_order(const items& expected, const ckpt::state_dict& found) {
  require(found.size() == expected.size(),
          std::to_string(found.size()) + " entries, not " + std::to_string(expected.size()));
  std::size_t position = 0;
  for (const auto& [name, value] : found) require_same(expected[position++], value);
}

void require_in_any_order(const items& expected, const ckpt::state_dict& found) {
  require(found.size() == expected.size(),
          std::to_string(found.size()) + " entries, not " + std::to_string(expected.size()));
  for (const item& next : expected) require_same(next, found[next.name]);
}

/// Loads a file by mapping and by reading, as long as it is there.
class temporary_file {
 public:
  temporary_file(const std::string& folder, std::string_view name)
      : m_path((std::filesystem::path(folder) / name).string()) {}
  temporary_file(const temporary_file&) = delete;
  temporary_file& operator=(const temporary_file&) = delete;
  ~temporary_file() { std::filesystem::remove(m_path); }
  [[nodiscard]] const std::string& path() const { return m_path; }

 private:
  std::string m_path;
};

template <class Format, class Check>
void check_file(const object& what, const ckpt::save_options& options, const std::string& folder, const Check& check) {
  const temporary_file file(folder, "property." + std::string(Format::suffix));
  ckpt::save<Format>(what, file.path(), options);
  check(ckpt::load(file.path()));
  const ckpt::state_dict copied = ckpt::load(file.path(), {.read = ckpt::read::copy});
  check(copied);
  for (const auto& [name, value] : copied)
    if (value.kind() == ckpt::entry_kind::tensor)
      require(reinterpret_cast<std::uintptr_t>(value.bytes().data()) % 64 == 0,
              "a tensor that was read is not aligned");
}

void check_ckpt(generator& random, const std::string& folder) {
  const items expected = random.entries(&ckpt::dtype_info::mindspore, true);
  std::vector<strided_copy> memory;
  const object what = given(expected, random, memory);
  const ckpt::save_options options{.align = random.any_of(std::vector<std::uint64_t>{0, 0, 1, 8, 64, 4096}),
                                   .durability = ckpt::durability::none};

  const std::vector<std::byte> bytes = ckpt::save_bytes(what, options);
  const ckpt::state_dict loaded = ckpt::load(bytes);
  require_in_order(expected, loaded);

  const ckpt::file_index index = ckpt::inspect(bytes);
  require(index.format() == "ckpt" && index.size() == expected.size(), "inspect sees another file than load");
  for (const ckpt::index_entry& entry : index)
    for (const ckpt::extent& part : entry.extents())
      require(options.align == 0 || part.size == 0 || part.offset % options.align == 0, "data is not aligned as asked");

  require(ckpt::save_bytes(loaded, options) == bytes, "what was loaded is another file when saved again");

  const auto chosen = [&](std::string_view name) { return name.size() % 2 == 0; };
  items some;
  for (const item& next : expected)
    if (chosen(next.name)) some.push_back(next);
  require_in_order(some, ckpt::load(bytes, {.choose = chosen}));
  try {
    require_in_order(some, ckpt::load(ckpt::save_bytes(what, {.choose = chosen})));
    require(!some.empty() || expected.empty(), "none of some entries is chosen, and that is no error");
  } catch (const ckpt::usage_error& refused) {
    require(some.empty() && refused.code() == ckpt::errc::missing, refused.what());
  }

  if (random.one_in(8))
    check_file<ckpt::mindspore>(what, options, folder, [&](const auto& found) { require_in_order(expected, found); });
}

void check_safetensors(generator& random, const std::string& folder) {
  const items saved = random.entries(&ckpt::dtype_info::safetensors, true);
  std::vector<strided_copy> memory;
  const object what = given(saved, random, memory);
  items expected = saved;
  ckpt::save_options options{.align = random.any_of(std::vector<std::uint64_t>{0, 0, 1, 8, 64, 4096}),
                             .durability = ckpt::durability::none};
  std::set<std::string> names{"format", "crc_num", "remove_redundancy"};
  for (const item& next : expected) names.insert(next.name);
  for (std::uint64_t left = random.below(4); left > 0; --left) {
    item pair = random.entry(&ckpt::dtype_info::safetensors, true);
    if (!names.insert(pair.name).second) continue;
    options.metadata.add(pair.name, pair.text);
    expected.push_back(std::move(pair));  // what stands in the metadata is read as a string
  }

  const std::vector<std::byte> bytes = ckpt::save_bytes<ckpt::safetensors>(what, options);
  const ckpt::state_dict loaded = ckpt::load(bytes);
  require_in_any_order(expected, loaded);
  const std::vector<std::byte> again = ckpt::save_bytes<ckpt::safetensors>(loaded, {.align = options.align});
  // Markers of int4 tensors stand among the strings as the object had them, and before them from then on.
  const bool marked = std::ranges::any_of(expected, [](const item& next) { return next.type == ckpt::dtype::int4; });
  require(marked || again == bytes, "what was loaded is another file when saved again");
  require_in_any_order(expected, ckpt::load(again));
  require(ckpt::save_bytes<ckpt::safetensors>(ckpt::load(again), {.align = options.align}) == again,
          "a file changes with every save");

  std::uint64_t end = 0;
  for (const ckpt::index_entry& entry : ckpt::inspect(bytes)) {
    if (entry.kind() == ckpt::entry_kind::string) continue;
    const ckpt::extent& part = entry.extents().front();
    require(end != 0 || options.align == 0 || part.offset % options.align == 0, "data does not begin aligned as asked");
    require(end == 0 || part.offset == end, "the data has a hole, or is not in the order of the header");
    require(part.offset * 8 % std::max<std::uint64_t>(ckpt::info(entry.type()).bits, 8) == 0,
            "a tensor is not aligned to its element");
    end = part.offset + part.size;
  }
  require(end == 0 || end == bytes.size(), "the data does not end with the file");

  if (random.one_in(8))
    check_file<ckpt::safetensors>(what, options, folder,
                                  [&](const auto& found) { require_in_any_order(expected, found); });
}

/// From one format to the other and back, for dtypes that both hold.
void check_conversion(generator& random) {
  items expected = random.entries(&ckpt::dtype_info::mindspore, true);
  std::erase_if(expected, [](const item& next) { return next.type == ckpt::dtype::complex128; });
  std::vector<strided_copy> memory;
  const std::vector<std::byte> first = ckpt::save_bytes(given(expected, random, memory));
  const std::vector<std::byte> second = ckpt::save_bytes<ckpt::safetensors>(ckpt::load(first));
  const std::vector<std::byte> third = ckpt::save_bytes(ckpt::load(second));
  require_in_any_order(expected, ckpt::load(second));
  require_in_any_order(expected, ckpt::load(third));
}

/// Names that come twice: refused, or the last value in the first one's place.
void check_duplicates(generator& random) {
  items all = random.entries(&ckpt::dtype_info::mindspore, true);
  const std::size_t different = all.size();
  for (std::uint64_t left = different == 0 ? 0 : random.below(4); left > 0; --left) {
    item again = random.entry(&ckpt::dtype_info::mindspore, random.one_in(4));
    again.name = all[random.below(different)].name;
    all.insert(all.begin() + static_cast<std::ptrdiff_t>(random.below(all.size() + 1)), std::move(again));
  }
  items expected;
  for (const item& next : all) {
    const auto same = std::ranges::find(expected, next.name, &item::name);
    if (same == expected.end()) expected.push_back(next);
    else *same = next;
  }
  std::vector<strided_copy> memory;
  const object what = given(all, random, memory);
  require_in_order(expected, ckpt::load(ckpt::save_bytes(what, {.duplicates = ckpt::duplicates::keep_last})));
  try {
    static_cast<void>(ckpt::save_bytes(what));
    require(all.size() == expected.size(), "a name given twice is not refused");
  } catch (const ckpt::usage_error& refused) {
    require(refused.code() == ckpt::errc::duplicate && all.size() != expected.size(), refused.what());
  }
}

/// A safetensors file cut short is refused, from the first byte on that tells its format.
void check_cut(generator& random) {
  const items expected = random.entries(&ckpt::dtype_info::safetensors, false);
  std::vector<strided_copy> memory;
  const std::vector<std::byte> bytes = ckpt::save_bytes<ckpt::safetensors>(given(expected, random, memory));
  try {
    static_cast<void>(ckpt::load(std::span(bytes).first(9 + random.below(bytes.size() - 9))));
  } catch (const ckpt::format_error&) {
    return;
  }
  require(false, "a safetensors file cut short is loaded");
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t rounds = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 300;
  const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 20240229;
  std::string folder = (std::filesystem::temp_directory_path() / "ckpt_property_XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return 2;

  const std::vector<std::pair<const char*, void (*)(generator&, const std::string&)>> properties{
      {"ckpt", check_ckpt},
      {"safetensors", check_safetensors},
      {"conversion", [](generator& random, const std::string&) { check_conversion(random); }},
      {"duplicates", [](generator& random, const std::string&) { check_duplicates(random); }},
      {"cut", [](generator& random, const std::string&) { check_cut(random); }},
  };
  int failed = 0;
  std::printf("%" PRIu64 " rounds from seed %" PRIu64 "\n", rounds, seed);
  for (const auto& [name, check] : properties) {
    for (std::uint64_t round = 0; round < rounds; ++round) {
      try {
        generator random(seed + round);
        check(random, folder);
      } catch (const std::exception& failure) {
        std::printf("FAILED %s: %s; again with: round_trip 1 %" PRIu64 "\n", name, failure.what(), seed + round);
        ++failed;
        break;
      }
    }
  }
  std::filesystem::remove(folder);
  std::printf("%d passed, %d failed\n", static_cast<int>(properties.size()) - failed, failed);
  return failed == 0 ? 0 : 1;
}
