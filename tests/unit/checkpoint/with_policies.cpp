#include <ckpt/checkpoint/with_policies.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include <ckpt/format/safetensors.hpp>

#include "../support.hpp"

using namespace ckpt;
using support::message_of;

namespace {

struct parity {
  static constexpr std::string_view name = "parity";
  parity() = default;
  explicit parity(std::uint32_t) {}
  void update(std::span<const std::byte>) {}
  [[nodiscard]] std::uint32_t value() const { return 0; }
  static std::uint32_t combine(std::uint32_t a, std::uint32_t b, std::uint64_t) { return a ^ b; }
};

template <char Letter>
struct some_cipher {
  static constexpr char letter[2] = {Letter, 0};
  static constexpr std::string_view name = letter;
  static constexpr std::uint32_t magic = Letter;
  static bool takes(std::size_t) { return true; }
  static constexpr std::string_view key_sizes = "any number of bytes";
  static constexpr std::size_t derived_key_size = 16;
  static constexpr bool is_authenticated = false;
  static constexpr bool is_padded = false;
  struct encryptor {
    static constexpr std::size_t lanes = 1;
    explicit encryptor(std::span<const std::byte>) {}
    void begin(std::size_t, std::span<const std::byte, iv_size>) {}
    void process(std::span<const cipher_lane>, std::size_t) {}
  };
  struct decryptor {
    explicit decryptor(std::span<const std::byte>) {}
    void begin(std::span<const std::byte, iv_size>) {}
    void process(const std::byte*, std::byte*, std::size_t) {}
  };
};

/// The names of what was chosen.
std::string chosen(std::initializer_list<std::string_view> names) {
  return with_policies<safetensors, some_cipher<'A'>, parity, some_cipher<'B'>>(
      names, []<class... Chosen>(policies<Chosen...>) {
        using set = policy_set<Chosen...>;  // refuses to compile what may not stand together
        static_cast<void>(sizeof(typename set::format));
        std::string all;
        ((all += std::string(Chosen::name) + ";"), ...);
        return all;
      });
}

}  // namespace

TEST_CASE("with_policies: what is named, in any order; nothing is nothing") {
  CHECK(chosen({}) == "");
  CHECK(chosen({"", ""}) == "");
  CHECK(chosen({"A"}) == "A;");
  CHECK(chosen({"B", ""}) == "B;");
  CHECK(chosen({"parity"}) == "parity;");
  CHECK(chosen({"safetensors"}) == "safetensors;");
  CHECK(chosen({"safetensors", "parity"}) == "safetensors;parity;");
  CHECK(chosen({"parity", "safetensors"}) == "safetensors;parity;");
  CHECK(chosen({"ckpt", "A"}) == "A;");
  CHECK(chosen({"ckpt", "parity"}) == "parity;");
  CHECK(chosen({"A", "A"}) == "A;");
}

TEST_CASE("with_policies: what may not be chosen") {
  const auto refused = [](std::initializer_list<std::string_view> names) {
    return message_of<usage_error>([&] { chosen(names); });
  };
  CHECK(refused({"C"}) == "there is no policy of the name \"C\" to choose");
  CHECK(refused({"A", "B"}) == "\"A\" and \"B\" exclude each other: a file has one of a kind");
  CHECK(refused({"safetensors", "ckpt"}) ==
        "\"safetensors\" and \"ckpt\" exclude each other: a file has one of a kind");
  CHECK(refused({"A", "parity"}) ==
        "\"A\" and \"parity\" exclude each other: an encrypted file is sealed, which shows more than a checksum could");
  CHECK(refused({"safetensors", "A"}) == "\"A\" and \"safetensors\" exclude each other: only ckpt files are encrypted");
}

TEST_CASE("with_policies: the callable may return nothing") {
  bool called = false;
  with_policies<parity>({"parity"}, [&](auto) { called = true; });
  CHECK(called);
}
