// One save or load with the faults of fault_inject.cpp. Prints the error, or what was loaded, and exits with
// 0 done, 3 io_error, 4 format_error, 5 another exception, 6 a descriptor is left open, 2 wrong usage.
#include <ckpt/ckpt.hpp>
#include <ckpt/crypto.hpp>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "fault_child.hpp"

namespace {

using tensors = std::vector<std::pair<std::string, std::vector<float>>>;

/// What is saved: `old`, `small` (other content), `large` (more than two pieces of writing), `blocks` (more than one
/// block of an encrypted file).
tensors make(std::string_view what) {
  tensors made;
  const std::size_t count = what == "blocks" ? 17 : what == "large" ? 5 : 3;
  const std::size_t size = what == "blocks" || what == "large" ? std::size_t{1} << 20 : 1000;
  for (std::size_t i = 0; i < count; ++i) {
    made.emplace_back("layer" + std::to_string(i) + ".weight", std::vector<float>(size));
    float* const values = made.back().second.data();  // iterators take most of the time of an unoptimized build
    const float first = what == "old" ? 0.25F : 1000.5F + static_cast<float>(i);
    for (std::size_t k = 0; k < size; ++k) values[k] = first + static_cast<float>(k);
  }
  return made;
}

/// FNV-1a over all names and bytes.
class digest {
 public:
  void add(const void* bytes, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i)
      m_value = (m_value ^ static_cast<const unsigned char*>(bytes)[i]) * 0x100000001b3U;
  }
  void print() const { std::printf("%016llx\n", static_cast<unsigned long long>(m_value)); }

 private:
  std::uint64_t m_value = 0xcbf29ce484222325U;
};

template <class Format>
void save(const std::string& what, ckpt::durability sync, const std::string& path) {
  const tensors made = make(what);
  const fault::armed faults;
  ckpt::save<Format>(made, path, {.durability = sync, .permissions = 0600});
}

/// With the key that all encrypted files here have.
template <class Cipher>
void save_encrypted(const std::string& what, ckpt::durability sync, unsigned threads, const std::string& path) {
  const tensors made = make(what);
  const ckpt::secret_key key = ckpt::secret_key::from_text("a key of 16 byte");
  const fault::armed faults;
  ckpt::save<Cipher>(made, path, {.durability = sync, .permissions = 0600, .key = key, .threads = threads});
}

void save_encrypted(const std::string& cipher, const std::string& what, ckpt::durability sync, unsigned threads,
                    const std::string& path) {
  if (cipher == "aes_gcm") save_encrypted<ckpt::aes_gcm>(what, sync, threads, path);
  else if (cipher == "aes_cbc") save_encrypted<ckpt::aes_cbc>(what, sync, threads, path);
  else save_encrypted<ckpt::sm4_cbc>(what, sync, threads, path);
}

/// Saves what the file holds, and one tensor more, over the file while it is mapped.
template <class Format>
void resave(ckpt::durability sync, const std::string& path) {
  const ckpt::tensor more(ckpt::dtype::float32, {100});
  const fault::armed faults;
  const ckpt::state_dict mapped = ckpt::load(path);
  ckpt::save<Format>(mapped, path, {.append = {{"more", more}}, .durability = sync, .permissions = 0600});
}

template <class... Cipher>
void load(const ckpt::load_options& options, const std::string& path) {
  digest sum;
  {
    const fault::armed faults;
    const ckpt::state_dict loaded = ckpt::load<Cipher...>(path, options);
    for (const auto& [name, value] : loaded) {
      sum.add(name.data(), name.size());
      sum.add(value.bytes().data(), value.bytes().size());
    }
  }
  sum.print();
}

void load_encrypted(const std::string& cipher, ckpt::read way, const std::string& path) {
  const ckpt::secret_key key = ckpt::secret_key::from_text("a key of 16 byte");
  const ckpt::load_options options{.read = way, .key = key, .threads = 1};
  if (cipher == "aes_gcm") load<ckpt::aes_gcm>(options, path);
  else if (cipher == "aes_cbc") load<ckpt::aes_cbc>(options, path);
  else load<ckpt::sm4_cbc>(options, path);
}

void load_into(const std::string& path) {
  std::vector<float> to(1000);
  digest sum;
  {
    const fault::armed faults;
    const ckpt::reader file(path);
    for (const auto& entry : file.index()) {
      file.read_into<float>(entry.name(), to);
      sum.add(to.data(), to.size() * sizeof(float));
    }
  }
  sum.print();
}

void fill(const std::string& path) {
  std::map<std::string, std::vector<float>> network;
  const ckpt::file_index index = ckpt::inspect(path);
  for (const auto& entry : index) network[std::string(entry.name())].resize(1000);
  digest sum;
  {
    const fault::armed faults;
    ckpt::load_into(path, network);
    for (const auto& [name, values] : network) sum.add(values.data(), values.size() * sizeof(float));
  }
  sum.print();
}

void inspect(const std::string& path) {
  digest sum;
  {
    const fault::armed faults;
    const ckpt::file_index index = ckpt::inspect(path);
    for (const auto& entry : index) sum.add(entry.name().data(), entry.name().size());
  }
  sum.print();
}

int run(const std::vector<std::string>& arguments) {
  const std::string path = arguments.back();
  const std::string what = arguments[0];
  const ckpt::read way = what == "load-copy" ? ckpt::read::copy : ckpt::read::map;
  if (arguments.size() == 3) load_encrypted(arguments[1], way, path);
  else if (what == "load-map" || what == "load-copy") load({.read = way}, path);
  else if (what == "load-into") load_into(path);
  else if (what == "fill") fill(path);
  else if (what == "inspect") inspect(path);
  else if (arguments.size() == 4 || arguments.size() == 5) {
    const ckpt::durability sync = arguments[2] == "full" ? ckpt::durability::full : ckpt::durability::none;
    if (arguments[1] != "ckpt" && arguments[1] != "safetensors") {
      save_encrypted(arguments[1], what, sync, arguments.size() == 5 ? 2 : 1, path);
      return 0;
    }
    const bool is_mindspore = arguments[1] == "ckpt";
    if (what == "resave") is_mindspore ? resave<ckpt::mindspore>(sync, path) : resave<ckpt::safetensors>(sync, path);
    else is_mindspore ? save<ckpt::mindspore>(what, sync, path) : save<ckpt::safetensors>(what, sync, path);
  } else return 2;
  return 0;
}

}  // namespace

int main(int count, char** values) {
  const std::vector<std::string> arguments(values + 1, values + count);
  if (fault_inject_arm == nullptr || arguments.size() < 2) {
    std::fputs(
        "usage: LD_PRELOAD=libfault_inject.so fault_child old|small|large|resave ckpt|safetensors full|none PATH\n"
        "       ... old|small|large|blocks aes_gcm|aes_cbc|sm4_cbc full|none [two-threads] PATH\n"
        "       ... load-map|load-copy|load-into|inspect PATH\n"
        "       ... load-map|load-copy aes_gcm|aes_cbc|sm4_cbc PATH\n",
        stderr);
    return 2;
  }
  return fault::exit_code_of<ckpt::format_error>([&] { return run(arguments); }, arguments.back());
}
