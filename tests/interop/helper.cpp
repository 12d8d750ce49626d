// This library, at the orders of interop.py:
//   helper save LIST OUT [align=N] [keep_last] [crc]
//       saves what LIST says, as ckpt or safetensors by OUT's suffix
//   helper copy IN OUT [align=N] [crc]
//       loads, and saves what was loaded
//   helper fill IN OUT
//       fills a network that has the names, dtypes and shapes of IN, and saves that
//   helper verify IN
//       compares the content with the CRC-32 in the file
//   helper dump IN BYTES [copy]
//       prints a line for each entry, and writes the bytes of all of them to BYTES
//   helper large OUT
//       saves one int8 tensor "large" of 600 MiB
//   helper check_large IN
//       whether that is what IN holds
//   helper derived_key IN cipher=... passphrase=...
//       prints the key that MindSpore needs for IN
//   helper manage DIRECTORY PREFIX EPOCH,STEP ...
//       saves a small checkpoint at each step, by a manager
//   helper checkpoints DIRECTORY PREFIX
//       prints a line `EPOCH STEP FILE` for each, and one for that which is restored as the latest
// save, copy and dump also take cipher=AES-GCM (AES-CBC, SM4-CBC) with key=HEX or passphrase=TEXT; dump allow_unsealed,
// too.
//
// A line of LIST or of what dump prints has fields between tabs; names and texts are hexadecimal UTF-8:
//   tensor NAME DTYPE EXTENT,EXTENT      its elements come next in the file LIST.bytes or BYTES
//   string NAME TEXT
//   int, uint, float, bool NAME VALUE    appended values; only in LIST
//   text NAME TEXT                       an appended string; only in LIST

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <ckpt/checkpoint/verify_checksum.hpp>
#include <ckpt/checksum/crc32.hpp>
#include <ckpt/ckpt.hpp>
#include <ckpt/crypto.hpp>
#include <ckpt/manager.hpp>

namespace {

using value = std::variant<ckpt::tensor, std::string>;

template <class T>
T number(std::string_view text) {
  T result{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), result);
  if (error != std::errc() || end != text.data() + text.size())
    throw std::runtime_error("not a number: " + std::string(text));
  return result;
}

std::string from_hex(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    unsigned byte = 0;
    std::from_chars(text.data() + i, text.data() + i + 2, byte, 16);
    result.push_back(static_cast<char>(byte));
  }
  return result;
}

std::string to_hex(std::string_view bytes) {
  std::string result;
  for (const char c : bytes) {
    result.push_back("0123456789abcdef"[static_cast<unsigned char>(c) >> 4U]);
    result.push_back("0123456789abcdef"[static_cast<unsigned char>(c) & 0xFU]);
  }
  return result;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(separator, start), text.size());
    parts.emplace_back(text.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

/// What the arguments say of encryption.
struct encryption {
  explicit encryption(std::span<char*> arguments) {
    for (const std::string_view argument : arguments) {
      if (argument.starts_with("cipher=")) cipher = argument.substr(7);
      if (argument.starts_with("key=")) key = ckpt::secret_key::from_hex(argument.substr(4));
      if (argument.starts_with("passphrase=")) key = ckpt::secret_key::from_passphrase(argument.substr(11));
    }
  }

  /// Calls `work` with the cipher, as `work.template operator()<Cipher>()`.
  template <class Work>
  auto with(Work work) const {
    if (cipher == ckpt::aes_gcm::name) return work.template operator()<ckpt::aes_gcm>();
    if (cipher == ckpt::aes_cbc::name) return work.template operator()<ckpt::aes_cbc>();
    if (cipher == ckpt::sm4_cbc::name) return work.template operator()<ckpt::sm4_cbc>();
    throw std::runtime_error("unknown cipher " + cipher);
  }

  std::string cipher;
  std::optional<ckpt::secret_key> key;
};

template <class Object>
void save_to(const Object& object, const std::string& path, const ckpt::save_options& options, const encryption& how,
             bool crc = false) {
  if (!how.cipher.empty()) how.with([&]<class Cipher>() { ckpt::save<Cipher>(object, path, options); });
  else if (crc && path.ends_with(".safetensors")) ckpt::save<ckpt::safetensors, ckpt::crc32>(object, path, options);
  else if (crc) ckpt::save<ckpt::crc32>(object, path, options);
  else if (path.ends_with(".safetensors")) ckpt::save<ckpt::safetensors>(object, path, options);
  else ckpt::save(object, path, options);
}

ckpt::save_options options_of(std::span<char*> arguments, const encryption& how) {
  ckpt::save_options options;
  if (how.key) options.key = *how.key;
  options.durability = ckpt::durability::none;
  for (const std::string_view argument : arguments) {
    if (argument.starts_with("align=")) options.align = number<std::uint64_t>(argument.substr(6));
    if (argument == "keep_last") options.duplicates = ckpt::duplicates::keep_last;
  }
  return options;
}

bool wants_crc(std::span<char*> arguments) {
  for (const std::string_view argument : arguments)
    if (argument == "crc") return true;
  return false;
}

void verify(const std::string& path) {
  const ckpt::file_source from(path);
  ckpt::verify_checksum<ckpt::crc32>(from, ckpt::read_index(from), false);
}

void save(const std::string& list, const std::string& path, ckpt::save_options options, const encryption& how,
          bool crc) {
  std::ifstream lines(list);
  std::ifstream bytes(list + ".bytes", std::ios::binary);
  std::vector<std::pair<std::string, value>> object;
  for (std::string line; std::getline(lines, line);) {
    const std::vector<std::string> fields = split(line, '\t');
    const std::string& kind = fields.at(0);
    std::string name = from_hex(fields.at(1));
    if (kind == "tensor") {
      std::vector<std::int64_t> extents;
      if (!fields.at(3).empty())
        for (const std::string& extent : split(fields.at(3), ',')) extents.push_back(number<std::int64_t>(extent));
      const ckpt::dtype_info* const known = ckpt::dtype_from_name(fields.at(2));
      if (known == nullptr) throw std::runtime_error("no dtype: " + fields.at(2));
      ckpt::tensor tensor(known->type, ckpt::shape(std::span<const std::int64_t>(extents)));
      bytes.read(reinterpret_cast<char*>(tensor.bytes().data()), static_cast<std::streamsize>(tensor.bytes().size()));
      if (!bytes) throw std::runtime_error("not enough bytes");
      object.emplace_back(std::move(name), std::move(tensor));
    } else if (kind == "string") {
      object.emplace_back(std::move(name), from_hex(fields.at(2)));
    } else if (kind == "text") {
      options.append.add(std::move(name), from_hex(fields.at(2)));
    } else if (kind == "int") {
      options.append.add(std::move(name), number<std::int64_t>(fields.at(2)));
    } else if (kind == "uint") {
      options.append.add(std::move(name), number<std::uint64_t>(fields.at(2)));
    } else if (kind == "float") {
      options.append.add(std::move(name), number<double>(fields.at(2)));
    } else if (kind == "bool") {
      options.append.add(std::move(name), fields.at(2) == "1");
    } else {
      throw std::runtime_error("unknown kind " + kind);
    }
  }
  save_to(object, path, options, how, crc);
}

std::vector<std::pair<std::string, value>> filled(const std::string& path) {
  std::vector<std::pair<std::string, value>> network;
  const ckpt::file_index index = ckpt::inspect(path);
  for (const ckpt::index_entry& entry : index) {
    if (entry.kind() == ckpt::entry_kind::string) network.emplace_back(entry.name(), std::string());
    else network.emplace_back(entry.name(), ckpt::tensor(entry.type(), ckpt::shape(entry.shape())));
  }
  const ckpt::load_report report = ckpt::load_into(path, network);
  if (report.filled != network.size() || !report.unexpected.empty()) throw std::runtime_error("not all is filled");
  return network;
}

ckpt::state_dict load(const std::string& path, std::span<char*> arguments) {
  const encryption how(arguments);
  ckpt::load_options options;
  if (how.key) options.key = *how.key;
  for (const std::string_view argument : arguments) {
    if (argument == "copy") options.read = ckpt::read::copy;
    if (argument == "allow_unsealed") options.allow_unsealed = true;
  }
  if (how.cipher.empty()) return ckpt::load(path, options);
  return how.with([&]<class Cipher>() { return ckpt::load<Cipher>(path, options); });
}

void dump(const std::string& path, const std::string& bytes_path, std::span<char*> arguments) {
  const ckpt::state_dict model = load(path, arguments);
  std::ofstream bytes(bytes_path, std::ios::binary);
  for (const auto& [name, entry] : model) {
    if (entry.kind() == ckpt::entry_kind::string) {
      std::cout << "string\t" << to_hex(name) << '\t' << to_hex(entry.text()) << '\n';
      continue;
    }
    std::cout << ckpt::name(entry.kind()) << '\t' << to_hex(name) << '\t' << ckpt::name(entry.type()) << '\t';
    for (std::size_t axis = 0; axis < entry.shape().size(); ++axis)
      std::cout << (axis > 0 ? "," : "") << entry.shape()[axis];
    std::cout << '\n';
    for (std::size_t i = 0; i < entry.piece_count(); ++i)
      bytes.write(reinterpret_cast<const char*>(entry.piece(i).data()),
                  static_cast<std::streamsize>(entry.piece(i).size()));
  }
  if (!bytes.flush()) throw std::runtime_error("cannot write " + bytes_path);
}

constexpr std::int64_t large_size = std::int64_t{600} << 20;
std::int8_t large_element(std::size_t position) { return static_cast<std::int8_t>((position % 1000003 * 7 + 3) % 251); }

void save_large(const std::string& path, const ckpt::save_options& options) {
  std::vector<ckpt::parameter> object{{"large", ckpt::tensor(ckpt::dtype::int8, {large_size})}};
  const std::span<std::int8_t> elements = object[0].data.as<std::int8_t>();
  for (std::size_t i = 0; i < elements.size(); ++i) elements[i] = large_element(i);
  save_to(object, path, options, encryption({}));
}

void check_large(const std::string& path) {
  const ckpt::state_dict model = ckpt::load(path);
  const ckpt::state_value large = model["large"];
  if (model.size() != 1 || large.type() != ckpt::dtype::int8 || ckpt::to_string(large.shape()) != "[629145600]")
    throw std::runtime_error("another tensor");
  std::size_t position = 0;
  for (std::size_t i = 0; i < large.piece_count(); ++i)
    for (const std::byte found : large.piece(i))
      if (static_cast<std::int8_t>(found) != large_element(position++))
        throw std::runtime_error("differs at element " + std::to_string(position - 1));
  std::cout << large.piece_count() << " pieces\n";
}

void print_derived_key(const std::string& path, const encryption& how) {
  how.with([&]<class Cipher>() {
    ckpt::block_header<Cipher> first;
    ckpt::file_source(path).read(0, first.bytes());
    const ckpt::secret_bytes key = ckpt::file_key<Cipher>(&how.key.value(), first.iv(), path);
    std::cout << to_hex({reinterpret_cast<const char*>(key.bytes().data()), key.size()}) << '\n';
  });
}

void manage(const std::string& directory, const std::string& prefix, std::span<char*> steps) {
  ckpt::checkpoint_manager<> manager(directory, {.prefix = prefix});
  for (const std::string_view text : steps) {
    const std::vector<std::string> numbers = split(text, ',');
    const ckpt::training_step now{
        number<std::uint64_t>(numbers.at(0)), number<std::uint64_t>(numbers.at(1)), {{"loss", 0.5}}};
    const std::vector<std::pair<std::string, std::vector<float>>> net{{"w", {static_cast<float>(now.step)}}};
    manager.save(now, net);
  }
}

void print(const ckpt::checkpoint& each) { std::cout << each.epoch << ' ' << each.step << ' ' << each.path << '\n'; }

void list_checkpoints(const std::string& directory, const std::string& prefix) {
  for (const ckpt::checkpoint& each : ckpt::find_checkpoints(directory, prefix)) print(each);
  const auto restored = ckpt::restore_latest(directory, prefix);
  if (restored) print(restored->from);
}

}  // namespace

int main(int argument_count, char** argument_values) try {
  const std::span<char*> arguments(argument_values, static_cast<std::size_t>(argument_count));
  const std::string order = arguments.size() > 2 ? arguments[1] : "";
  const std::string from = arguments.size() > 2 ? arguments[2] : "";
  const std::string to = arguments.size() > 3 ? arguments[3] : "";
  const encryption how(arguments);
  if (order == "save") save(from, to, options_of(arguments, how), how, wants_crc(arguments));
  else if (order == "copy") save_to(ckpt::load(from), to, options_of(arguments, how), how, wants_crc(arguments));
  else if (order == "fill") save_to(filled(from), to, options_of(arguments, how), how);
  else if (order == "verify") verify(from);
  else if (order == "dump") dump(from, to, arguments);
  else if (order == "large") save_large(from, options_of(arguments, how));
  else if (order == "derived_key") print_derived_key(from, how);
  else if (order == "manage") manage(from, to, arguments.subspan(4));
  else if (order == "checkpoints") list_checkpoints(from, to);
  else if (order == "check_large") check_large(from);
  else throw std::runtime_error("see the top of helper.cpp");
  return 0;
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
