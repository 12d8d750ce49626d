#ifndef CKPT_TESTS_UNIT_CHECKSUM_IMPLEMENTATIONS_HPP
#define CKPT_TESTS_UNIT_CHECKSUM_IMPLEMENTATIONS_HPP

#include <ckpt/checksum/concept.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "../support.hpp"

namespace support {

/// Bit by bit, as the standard defines it.
inline std::uint32_t crc32_by_bits(std::string_view text) {
  std::uint32_t sum = 0xffffffff;
  for (const char c : text) {
    sum ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1U) ^ ((sum & 1U) != 0 ? 0xedb88320U : 0U);
  }
  return ~sum;
}

template <ckpt::checksum_policy Checksum>
std::uint32_t checksum_of(std::string_view text) {
  Checksum sum;
  sum.update(bytes(text));
  return sum.value();
}

/// What holds for each implementation of CRC-32.
template <ckpt::checksum_policy Checksum>
void check_crc32() {
  CHECK(std::string_view(Checksum::name) == "crc32");
  CHECK(Checksum().value() == 0);
  CHECK(checksum_of<Checksum>("") == 0);
  CHECK(checksum_of<Checksum>("123456789") == 0xcbf43926);
  CHECK(checksum_of<Checksum>("a") == 0xe8b7be43);
  CHECK(Checksum(0x12345678).value() == 0x12345678);

  numbers random(5);
  std::string content(5000, '\0');
  for (char& c : content) c = static_cast<char>(random.below(256));
  for (int i = 0; i < 500; ++i) {
    const std::size_t begin = random.below(70);
    const std::size_t size = random.below(i % 10 == 0 ? 4900 : 300);
    const std::string_view whole = std::string_view(content).substr(begin, size);
    const std::size_t cut = random.below(size + 1);
    const std::string_view first = whole.substr(0, cut);
    const std::string_view second = whole.substr(cut);
    const std::uint32_t wanted = crc32_by_bits(whole);
    CHECK(checksum_of<Checksum>(whole) == wanted);
    Checksum in_two;
    in_two.update(bytes(first));
    in_two.update({});
    in_two.update(bytes(second));
    CHECK(in_two.value() == wanted);
    Checksum goes_on(checksum_of<Checksum>(first));
    goes_on.update(bytes(second));
    CHECK(goes_on.value() == wanted);
    CHECK(Checksum::combine(checksum_of<Checksum>(first), checksum_of<Checksum>(second), second.size()) == wanted);
  }
}

}  // namespace support

#endif
