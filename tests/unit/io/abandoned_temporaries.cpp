#include <ckpt/io/abandoned_temporaries.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>

#include "forked.hpp"
#include "scratch.hpp"

using namespace ckpt;

namespace {

bool is_ours(std::string_view target) { return target.starts_with("net-"); }

}  // namespace

TEST_CASE("abandoned_temporaries: goes what nobody has locked, and nothing else") {
  const scratch::directory here;
  const std::vector<std::string> others{".net-1_1.ckpt.0123456789abcdeg.tmp", ".net-1_1.ckpt.tmp",
                                        ".other-1_1.ckpt.0123456789abcdef.tmp", "net-1_1.ckpt",
                                        "net-1_1.ckpt.0123456789abcdef.tmp"};
  for (const std::string& name : others) scratch::put(here / name, "1");
  const std::string dead = ".net-1_1.ckpt.0123456789abcdef.tmp";
  const std::string held = ".net-1_2.ckpt.0123456789abcdef.tmp";
  const std::string folder = ".net-1_3.ckpt.0123456789abcdef.tmp";
  const std::string link = ".net-1_4.ckpt.0123456789abcdef.tmp";
  scratch::put(here / dead, "1");
  scratch::put(here / held, "1");
  std::filesystem::create_directory(here / folder);
  std::filesystem::create_symlink("net-1_1.ckpt", here / link);
  std::filesystem::permissions(here / dead, std::filesystem::perms::owner_read);
  {
    const file_descriptor file(::open((here / held).c_str(), O_RDWR | O_CLOEXEC), "f");
    REQUIRE(!file.try_lock());
    CHECK(remove_abandoned_temporaries(here.path(), is_ours) == 1);
    std::vector<std::string> left = others;
    left.insert(left.end(), {held, folder, link});
    std::sort(left.begin(), left.end());
    CHECK(here.names() == left);
  }
  CHECK(remove_abandoned_temporaries(here.path(), is_ours) == 1);
  CHECK(here.names().size() == others.size() + 2);
}

TEST_CASE("abandoned_temporaries: a file that another process holds stays until that has died") {
  const scratch::directory here;
  const std::string name = ".net-1_1.ckpt.0123456789abcdef.tmp";
  scratch::put(here / name, "1");
  file_descriptor file;
  scratch::forked other([&](auto) {
    file = file_descriptor(::open((here / name).c_str(), O_RDWR | O_CLOEXEC), "f");
    if (file.try_lock()) throw 1;
  });
  CHECK(remove_abandoned_temporaries(here.path(), is_ours) == 0);
  CHECK(here.names() == std::vector<std::string>{name});
  other.kill();
  CHECK(remove_abandoned_temporaries(here.path(), is_ours) == 1);
  CHECK(here.names().empty());
}

TEST_CASE("abandoned_temporaries: a pipe of such a name, which nobody writes to, is not waited for") {
  const scratch::directory here;
  REQUIRE(::mkfifo((here / ".net-1_1.ckpt.0123456789abcdef.tmp").c_str(), 0600) == 0);
  const std::string dead = ".net-1_2.ckpt.0123456789abcdef.tmp";
  scratch::put(here / dead, "1");
  CHECK(remove_abandoned_temporaries(here.path(), is_ours) >= 1);
  CHECK(!std::filesystem::exists(here / dead));
}

TEST_CASE("abandoned_temporaries: a directory that cannot be read") {
  const scratch::directory here;
  CHECK(scratch::message_of<io_error>([&] { remove_abandoned_temporaries(here / "no", is_ours); }) ==
        here / "no: cannot open the directory \"" + here / "no\": No such file or directory");
}
