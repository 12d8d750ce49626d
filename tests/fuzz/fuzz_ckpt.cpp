// Files of the ckpt format. Mutations keep the lengths of the protobuf messages around what they change, most of the
// time.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "check_file.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

using bytes = std::vector<std::uint8_t>;

struct field {
  bytes key;      // with the length, where it has one
  bytes payload;  // of a length-delimited field, otherwise the number
  bool delimited = false;
};

void put_varint(bytes& to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) to.push_back(static_cast<std::uint8_t>(value | 0x80));
  to.push_back(static_cast<std::uint8_t>(value));
}

bool take_varint(std::span<const std::uint8_t>& from, std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64 && !from.empty(); shift += 7) {
    const std::uint8_t byte = from.front();
    from = from.subspan(1);
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

/// The fields of a message; empty where the bytes are none.
std::vector<field> split(std::span<const std::uint8_t> message) {
  std::vector<field> fields;
  while (!message.empty()) {
    field next;
    std::uint64_t key = 0;
    std::uint64_t number = 0;
    if (!take_varint(message, key)) return {};
    put_varint(next.key, key);
    if ((key & 7) == 2) {
      if (!take_varint(message, number) || number > message.size()) return {};
      next.delimited = true;
      next.payload.assign(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(number));
      message = message.subspan(static_cast<std::size_t>(number));
    } else if ((key & 7) == 0) {
      if (!take_varint(message, number)) return {};
      put_varint(next.payload, number);
    } else {
      return {};
    }
    fields.push_back(std::move(next));
  }
  return fields;
}

bytes join(const std::vector<field>& fields) {
  bytes message;
  for (const field& next : fields) {
    message.insert(message.end(), next.key.begin(), next.key.end());
    if (next.delimited) put_varint(message, next.payload.size());
    message.insert(message.end(), next.payload.begin(), next.payload.end());
  }
  return message;
}

bytes mutate_bytes(bytes data, std::size_t room) {
  const std::size_t size = data.size();
  data.resize(size + room);
  if (data.empty()) return data;
  data.resize(LLVMFuzzerMutate(data.data(), size, data.size()));
  return data;
}

bytes mutate(const bytes& message, std::minstd_rand& random, std::size_t room, int depth) {
  std::vector<field> fields = split(message);
  const auto chance = random() % 8;
  if (fields.empty() || depth == 3 || chance == 0) return mutate_bytes(message, room);
  const std::size_t chosen = random() % fields.size();
  const std::size_t other = random() % fields.size();
  if (chance == 1) fields.insert(fields.begin() + static_cast<std::ptrdiff_t>(other), fields[chosen]);
  else if (chance == 2) fields.erase(fields.begin() + static_cast<std::ptrdiff_t>(chosen));
  else if (chance == 3) std::swap(fields[chosen], fields[other]);
  else fields[chosen].payload = mutate(fields[chosen].payload, random, room, depth + 1);
  return join(fields);
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  std::minstd_rand random(seed);
  const bytes result = mutate(bytes(data, data + size), random, (max_size - size) / 8, 0);
  if (result.empty() || result.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::memcpy(data, result.data(), result.size());
  return result.size();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::check_file(std::as_bytes(std::span(data, size)));
  return 0;
}
