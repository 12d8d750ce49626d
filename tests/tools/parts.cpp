#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "human_size.hpp"
#include "npy.hpp"
#include "printable.hpp"

// The parts of the ckpt command that are functions of their arguments, at borders that are hard to reach from outside.

namespace {

using namespace ckpt::tools;

TEST_CASE("human_size: one decimal, and never 1024.0") {
  CHECK(human_size(0) == "0 B");
  CHECK(human_size(1023) == "1023 B");
  CHECK(human_size(1024) == "1.0 KiB");
  CHECK(human_size(1048524) == "1023.9 KiB");
  CHECK(human_size(1048525) == "1.0 MiB");
  CHECK(human_size(std::uint64_t{1} << 40) == "1.0 TiB");
  CHECK(human_size(std::numeric_limits<std::uint64_t>::max()) == "16.0 EiB");
}

TEST_CASE("grouped and counted") {
  CHECK(grouped(0) == "0");
  CHECK(grouped(999) == "999");
  CHECK(grouped(1000) == "1,000");
  CHECK(grouped(std::numeric_limits<std::uint64_t>::max()) == "18,446,744,073,709,551,615");
  CHECK(counted(1, "entry", "entries") == "1 entry");
  CHECK(counted(0, "entry", "entries") == "0 entries");
}

TEST_CASE("elided: never wider than asked, whole characters only") {
  CHECK(elided("abcdef", 6) == "abcdef");
  CHECK(elided("abcdefg", 6) == "abc…fg");
  CHECK(elided("abcdefg", 5) == "ab…fg");
  CHECK(elided("abcdefg", 3) == "a…g");
  CHECK(elided("éééééé", 5) == "éé…éé");
  CHECK(elided("重重重重", 8) == "重重重重");
  CHECK(elided("重重重重", 7) == "重…重重");
  CHECK(elided("重重重重", 6) == "重…重");
  CHECK(elided("重重重重", 3) == "…重");
  for (std::size_t columns = 3; columns < 12; ++columns)
    CHECK(display_width(elided("a重e\u0301重重bc重", columns)) <= columns);
}

TEST_CASE("without_controls: escapes what moves the cursor, and what is not UTF-8") {
  CHECK(without_controls("a\tb\r\x1b[0m") == "a\\tb\\u000d\\u001b[0m");
  CHECK(without_controls("\x7f\xc2\x9b") == "\\u007f\\u009b");
  CHECK(without_controls("\xff"
                         "a\xc3") == "\\xffa\\xc3");
  CHECK(without_controls("día \\ \"x\"") == "día \\ \"x\"");
}

TEST_CASE("npy_header: version 2 from the first header on that version 1 cannot hold") {
  const auto version = [](std::size_t axes) {
    return static_cast<int>(npy_header("|u1", std::vector<std::int64_t>(axes, 1))[6]);
  };
  std::size_t longest = 1;
  for (std::size_t step = 1 << 15; step > 0; step /= 2)
    if (version(longest + step) == 1) longest += step;
  const std::string last = npy_header("|u1", std::vector<std::int64_t>(longest, 1));
  const std::string first = npy_header("|u1", std::vector<std::int64_t>(longest + 1, 1));
  CHECK(last.size() <= 10 + 0xffff);
  CHECK(last.size() % 64 == 0);
  CHECK(first[6] == 2);
  CHECK(first.size() % 64 == 0);
  CHECK(first.size() > 0xffff - 64);
}

}  // namespace
