#include <ckpt/checkpoint/options.hpp>

#include <doctest/doctest.h>

using namespace ckpt;

TEST_CASE("save_options: the defaults are MindSpore's, and safe") {
  const save_options options;
  CHECK(options.append.size() == 0);
  CHECK(!options.choose);
  CHECK(!options.progress);
  CHECK((options.duplicates == duplicates::refuse));
  CHECK(options.align == 0);
  CHECK((options.durability == durability::full));
  CHECK(options.permissions == 0400);
  CHECK(options.metadata.empty());
}

TEST_CASE("load_options: the defaults map the whole file") {
  const load_options options;
  CHECK((options.read == read::map));
  CHECK(!options.choose);
  CHECK(!options.progress);
}

TEST_CASE("save_options: as users write them") {
  const save_options options{.append = {{"epoch", 3}, {"lr", 0.1F}, {"best", true}, {"note", "text"}},
                             .choose = [](std::string_view name) { return name.starts_with("conv"); },
                             .progress = [](ckpt::progress) {},
                             .duplicates = ckpt::duplicates::keep_last,
                             .align = 64,
                             .durability = ckpt::durability::none,
                             .permissions = 0644,
                             .metadata = {{"author", "me"}}};
  CHECK(options.append.size() == 4);
  CHECK(options.choose("conv1"));
  CHECK(!options.choose("fc"));
}
