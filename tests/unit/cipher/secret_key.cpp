#include <ckpt/cipher/secret_key.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../io/scratch.hpp"
#include "../support.hpp"

using namespace ckpt;
using namespace support;

static_assert(!std::is_copy_constructible_v<secret_key> && !std::is_copy_assignable_v<secret_key>);
static_assert(std::is_nothrow_move_constructible_v<secret_key>);
static_assert(!std::is_copy_constructible_v<secret_bytes>);
static_assert(!std::is_constructible_v<borrowed_key, secret_key>, "a temporary key would be gone when it is used");

TEST_CASE("secret_key: from bytes, text and hexadecimal digits") {
  const std::string raw = "0123456789abcdef";
  CHECK(text(secret_key::from_bytes(bytes(raw)).bytes()) == raw);
  CHECK(text(secret_key::from_text(raw).bytes()) == raw);
  CHECK(hex(secret_key::from_hex("00ffAb1C").bytes()) == "00ffab1c");
  CHECK(!secret_key::from_text(raw).is_passphrase());
  CHECK(secret_key::from_passphrase("a").is_passphrase());
}

TEST_CASE("secret_key: what is no key, and never says what it was") {
  CHECK(message_of<usage_error>([] { static_cast<void>(secret_key::from_hex("12x4")); }) ==
        "the key is not hexadecimal: character 3 of 4 is no digit");
  CHECK(message_of<usage_error>([] { static_cast<void>(secret_key::from_hex("123")); }) ==
        "the key is not whole: it has 3 hexadecimal digits, and a byte has two");
  CHECK(message_of<usage_error>([] { static_cast<void>(secret_key::from_passphrase("")); }) ==
        "the passphrase is empty");
  CHECK(error_of<usage_error>([] { static_cast<void>(secret_key::from_hex("1")); }).code() == errc::key);
}

TEST_CASE("secret_key: from a file") {
  const scratch::directory folder;
  const auto read = [&](const std::string& content) {
    const std::string path = folder / "key";
    scratch::put(path, content);
    return hex(secret_key::from_file(path).bytes());
  };
  CHECK(read("000102030405060708090a0b0c0d0e0f") == "000102030405060708090a0b0c0d0e0f");
  CHECK(read("000102030405060708090A0B0C0D0E0F\r\n") == "000102030405060708090a0b0c0d0e0f");
  CHECK(read("000102030405060708090a0b0c0d0e0f0001020304050607\n") ==
        "000102030405060708090a0b0c0d0e0f0001020304050607");
  CHECK(read(std::string(64, 'f')) == std::string(64, 'f'));
  CHECK(read("sixteen bytes...") == hex("sixteen bytes..."));
  CHECK(read("twenty-four raw bytes...") == hex("twenty-four raw bytes..."));
  CHECK(read("thirty-two raw bytes, not digits") == hex("thirty-two raw bytes, not digits"));
  CHECK(read("0123456789ABCDEF") == hex("0123456789ABCDEF"));  // as MindSpore's own example
  const auto refused = [&](const std::string& content) {
    const std::string path = folder / "key";
    scratch::put(path, content);
    return message_of<usage_error>([&] { static_cast<void>(secret_key::from_file(path)); });
  };
  const std::string a_key = "a key is 32, 48 or 64 hexadecimal digits, or 16, 24 or 32 bytes";
  for (const std::string& bad : {std::string(), std::string("short"), std::string("000102030405060708090a0b0c0d0e0"),
                                 std::string(67, '0'), std::string(1000, '0'), std::string("\n"),
                                 std::string(64, '0') + "\n\n\nmore", std::string(32, '0') + std::string(35, '\n')})
    CHECK(refused(bad) == (folder / "key") + ": is no key file: " + a_key);
  // As long as a key, and a key that was typed or copied badly:
  for (const auto& [bad, letters] :
       std::vector<std::pair<std::string, const char*>>{{"000102030405060708090a0b0c0d0e0\n", "31"},
                                                        {"000102030405060708090a0b0c0d0e\r\n", "30"},
                                                        {"0001020304050607080900a\n", "23"},
                                                        {"00010203040506O708090a0b0c0d0e0f", "32"},
                                                        {"0x0102030405060708090a0b0c0d0e0f", "32"},
                                                        {"000102030405060708090a0b", "24"},
                                                        {"fifteen letters\n", "15"}})
    CHECK(refused(bad) == (folder / "key") + ": is no key file, but text of " + letters + " characters: " + a_key);
  CHECK(message_of<io_error>([&] { static_cast<void>(secret_key::from_file((folder / "none"))); }) ==
        (folder / "none") + ": cannot open: No such file or directory");
}

TEST_CASE("secret_key: from a pipe, in pieces") {
  const scratch::directory folder;
  const std::string path = folder / "pipe";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  std::thread writer([&] {
    const int to = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    for (const std::string_view piece : {"00010203", "0405060708090a0b0c0d0e", "0f\n"})
      static_cast<void>(::write(to, piece.data(), piece.size()) + 1);
    ::close(to);
  });
  CHECK(hex(secret_key::from_file(path).bytes()) == "000102030405060708090a0b0c0d0e0f");
  writer.join();
  CHECK(message_of<io_error>([&] {
          static_cast<void>(secret_key::from_file(folder / "."));
        }).ends_with(": cannot read: Is a directory"));
}

TEST_CASE("secret_key: from the environment") {
  ::setenv("CKPT_TEST_KEY", "000102", 1);
  CHECK(hex(secret_key::from_environment("CKPT_TEST_KEY").bytes()) == "000102");
  ::setenv("CKPT_TEST_KEY", "0001zz", 1);
  CHECK(message_of<usage_error>([] { static_cast<void>(secret_key::from_environment("CKPT_TEST_KEY")); }) ==
        "environment variable CKPT_TEST_KEY: the key is not hexadecimal: character 5 of 6 is no digit");
  ::unsetenv("CKPT_TEST_KEY");
  CHECK(message_of<usage_error>([] { static_cast<void>(secret_key::from_environment("CKPT_TEST_KEY")); }) ==
        "there is no environment variable of that name: name the one that holds the key");
}

TEST_CASE("secret_key: a clone is another key of the same bytes; a key that was moved from is empty") {
  secret_key key = secret_key::from_text("0123456789abcdef");
  const secret_key same = key.clone();
  CHECK(same.bytes().data() != key.bytes().data());
  CHECK(text(same.bytes()) == text(key.bytes()));
  const secret_key moved = std::move(key);
  CHECK(text(moved.bytes()) == "0123456789abcdef");
  CHECK(key.bytes().empty());  // NOLINT(bugprone-use-after-move): what is asked
}

TEST_CASE("wipe, and the memory of a key after its end") {
  std::byte room[4] = {std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
  wipe(&room[0], 3);
  CHECK(hex(room) == "00000004");
  wipe(nullptr, 0);
}

TEST_CASE("borrowed_key: of a key that stays, or none") {
  const secret_key key = secret_key::from_text("k");
  CHECK(borrowed_key(key).get() == &key);
  CHECK(borrowed_key().get() == nullptr);
}
