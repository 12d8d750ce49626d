#include <ckpt/manager/checkpoint_directory.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <ckpt/manager/every_n_steps.hpp>

#include "../io/scratch.hpp"

using namespace ckpt;
using scratch::message_of;

namespace {

using names = std::vector<std::string>;

names paths_of(const std::vector<checkpoint>& all) {
  names paths;
  for (const checkpoint& each : all) paths.push_back(each.path);
  return paths;
}

constexpr atomic_file_options quick{.sync = durability::none, .mode = 0600};

}  // namespace

TEST_CASE("checkpoint_directory: finds the checkpoints of its prefix and suffix in order") {
  const scratch::directory here;
  const checkpoint_directory opened(here.path(), "net", "ckpt");
  CHECK(opened.files().empty());
  for (const std::string_view name :
       {"net-2_1.ckpt", "net-1_10.ckpt", "net-1_9.ckpt", "net-10_1.ckpt", "net-1_9.safetensors", "net_1-1_1.ckpt",
        "net-01_2.ckpt", "other-1_1.ckpt", "net-graph.meta"})
    scratch::put(here / name, "");
  const names wanted{here / "net-1_9.ckpt", here / "net-1_10.ckpt", here / "net-2_1.ckpt", here / "net-10_1.ckpt"};
  CHECK(paths_of(opened.files()) == wanted);
  CHECK(paths_of(checkpoint_directory(here.path() + "/", "net", "ckpt").files()) == wanted);
  CHECK(opened.files()[1].epoch == 1);
  CHECK(opened.files()[1].step == 10);
}

TEST_CASE("checkpoint_directory: owns what it would write") {
  const checkpoint_directory none("no directory", "net", "ckpt");
  CHECK(none.owns("net-1_2.ckpt"));
  CHECK(none.owns("net-metrics.json"));
  CHECK(!none.owns("net_1-1_2.ckpt"));
  CHECK(!none.owns("net-1_2.safetensors"));
  CHECK(!none.owns(".lock"));
  CHECK(message_of<io_error>([&] { static_cast<void>(none.files()); }) ==
        "no directory: cannot list the directory: No such file or directory");
}

TEST_CASE("checkpoint_directory: a prefix that cannot be") {
  const auto made = [](std::string prefix) {
    return message_of<usage_error>([&] { checkpoint_directory("d", std::move(prefix), "ckpt"); });
  };
  CHECK(made("") == "d: the prefix \"\" must be UTF-8, and neither empty nor hold a slash or NUL");
  CHECK(made("a/b") == "d: the prefix \"a/b\" must be UTF-8, and neither empty nor hold a slash or NUL");
  CHECK(made("\xff") != "(nothing thrown)");
  CHECK(made(std::string("a\0b", 3)) != "(nothing thrown)");
}

TEST_CASE("checkpoint_directory: metrics stay with their files, and go with them") {
  const scratch::directory here;
  const checkpoint_directory opened(here.path(), "net", "ckpt");
  const auto record = [&](const training_step& coming) { opened.record({&coming, 1}, quick); };
  record({.epoch = 1, .step = 1});
  CHECK(here.names().empty());  // nothing to say
  for (std::uint64_t step = 1; step <= 3; ++step) {
    record({.epoch = 1, .step = step, .metrics = {{"loss", static_cast<double>(step)}}});
    scratch::put(opened.path_of({.epoch = 1, .step = step}), "");
  }
  scratch::put(here / "net-1_0.ckpt", "");  // of a training that measured nothing
  const auto all = checkpoint_directory(here.path(), "net", "ckpt").checkpoints();
  REQUIRE(all.size() == 4);
  CHECK(all[0].metrics.empty());
  CHECK(all[3].metrics == step_metrics{{"loss", 3}});

  std::filesystem::remove(here / "net-1_2.ckpt");
  record({.epoch = 1, .step = 3});  // once more, measuring nothing
  CHECK(scratch::get(opened.path_of_metrics()) == "{\n\"net-1_1.ckpt\": {\"loss\": 1},\n\"net-1_3.ckpt\": {}\n}\n");
}

TEST_CASE("checkpoint_directory: metrics of the last file that had some are forgotten with it") {
  const scratch::directory here;
  const checkpoint_directory opened(here.path(), "net", "ckpt");
  const training_step measured{1, 1, {{"loss", 1}}};
  opened.record({&measured, 1}, quick);
  const training_step next{1, 2, {}};
  opened.record({&next, 1}, quick);  // the file of the first never came
  CHECK(scratch::get(opened.path_of_metrics()) == "{\n}\n");
  scratch::put(here / "net-1_1.ckpt", "");  // of another run, say
  CHECK(opened.checkpoints().front().metrics.empty());
}

TEST_CASE("checkpoint_directory: metrics of files that are yet to come are not forgotten") {
  const scratch::directory here;
  const checkpoint_directory opened(here.path(), "net", "ckpt");
  const std::vector<training_step> coming{{1, 1, {{"loss", 1}}}, {1, 2, {{"loss", 2}}}};
  opened.record({coming.data(), 1}, quick);
  opened.record(coming, quick);
  CHECK(scratch::get(opened.path_of_metrics()) ==
        "{\n\"net-1_1.ckpt\": {\"loss\": 1},\n\"net-1_2.ckpt\": {\"loss\": 2}\n}\n");
}

TEST_CASE("checkpoint_directory: metrics of a file that an orphan is writing are not forgotten") {
  const scratch::directory here;
  const checkpoint_directory opened(here.path(), "net", "ckpt");
  const training_step orphaned{1, 1, {{"loss", 1}}};
  opened.record({&orphaned, 1}, quick);
  scratch::put(here / temporary_name("net-1_1.ckpt", scratch::bytes("12345678"), 255), "");
  const training_step next{1, 2, {{"loss", 2}}};
  opened.record({&next, 1}, quick);
  CHECK(scratch::get(opened.path_of_metrics()) ==
        "{\n\"net-1_1.ckpt\": {\"loss\": 1},\n\"net-1_2.ckpt\": {\"loss\": 2}\n}\n");
}

TEST_CASE("checkpoint_directory: deletes nothing where the new one cannot be made to last") {
  const scratch::directory here;
  const checkpoint_directory opened(here.path(), "net", "ckpt");
  scratch::put(here / "net-1_1.ckpt", "");
  std::filesystem::create_directory(here / "net-1_2.ckpt");
  const deletion_report report = opened.delete_others(latest_n{1}, {.epoch = 1, .step = 2}, durability::none);
  CHECK(report.deleted.empty());
  REQUIRE(report.errors.size() == 1);
  CHECK(std::string(report.errors[0].what()) == here / "net-1_2.ckpt: cannot open: Is a directory");
  CHECK(here.names() == names{"net-1_1.ckpt", "net-1_2.ckpt"});
}

TEST_CASE("checkpoint_directory: of those that stay it is the newest that is made to last first") {
  const scratch::directory here;
  const checkpoint_directory opened(here.path(), "net", "ckpt");
  for (const std::string_view name : {"net-1_1.ckpt", "net-1_2.ckpt"}) scratch::put(here / name, "");
  std::filesystem::create_directory(here / "net-1_3.ckpt");
  const deletion_report report = opened.delete_others(latest_n{2}, {.epoch = 1, .step = 3}, durability::none);
  CHECK(report.deleted.empty());
  REQUIRE(report.errors.size() == 1);
  CHECK(report.errors[0].path() == here / "net-1_3.ckpt");
  CHECK(here.names() == names{"net-1_1.ckpt", "net-1_2.ckpt", "net-1_3.ckpt"});
}

TEST_CASE("checkpoint_directory: a policy that throws deletes nothing, and fails no save") {
  struct throwing {
    [[nodiscard]] bool preserves(std::span<const checkpoint> all, std::size_t at) const {
      return all[at].metrics.at("accuracy") > 0;
    }
  };
  const scratch::directory here;
  const checkpoint_directory opened(here.path(), "net", "ckpt");
  for (const std::string_view name : {"net-1_1.ckpt", "net-1_2.ckpt"}) scratch::put(here / name, "");
  const deletion_report report = opened.delete_others(throwing{}, {.epoch = 1, .step = 2}, durability::none);
  CHECK(report.deleted.empty());
  REQUIRE(report.errors.size() == 1);
  CHECK(std::string(report.errors[0].what())
            .starts_with(here.path() + ": the old checkpoints are all there, for the policy failed: "));
}

TEST_CASE("checkpoint_directory: deletes what is not preserved, and nothing else") {
  const scratch::directory here;
  const checkpoint_directory opened(here.path(), "net", "ckpt");
  for (const std::string_view name : {"net-1_1.ckpt", "net-1_2.ckpt", "net-1_3.ckpt", "net-1_4.ckpt", "net_1-1_1.ckpt",
                                      "net-1_1.safetensors", "other-1_1.ckpt"})
    scratch::put(here / name, "");
  const deletion_report report = opened.delete_others(every_n_steps{2}, {.epoch = 1, .step = 3}, durability::none);
  CHECK(report.deleted == names{here / "net-1_1.ckpt"});
  CHECK(report.errors.empty());
  CHECK(here.names() == names{"net-1_1.safetensors", "net-1_2.ckpt", "net-1_3.ckpt", "net-1_4.ckpt", "net_1-1_1.ckpt",
                              "other-1_1.ckpt"});
  CHECK(opened.delete_others(latest_n{0}, {.epoch = 1, .step = 4}, durability::none).deleted ==
        names{here / "net-1_2.ckpt", here / "net-1_3.ckpt"});
}

TEST_CASE("checkpoint_directory: what comes after the one that was saved is left alone, until it is discarded") {
  const scratch::directory here;
  const checkpoint_directory opened(here.path(), "net", "ckpt");
  for (const std::string_view name : {"net-1_1.ckpt", "net-1_2.ckpt", "net-2_1.ckpt", "net-3_1.ckpt"})
    scratch::put(here / name, "");
  CHECK(opened.delete_others(latest_n{1}, {.epoch = 1, .step = 2}, durability::none).deleted ==
        names{here / "net-1_1.ckpt"});
  CHECK(opened.delete_after({.epoch = 2, .step = 1}).deleted == names{here / "net-3_1.ckpt"});
  CHECK(opened.delete_after({.epoch = 1, .step = 1}).deleted == names{here / "net-2_1.ckpt", here / "net-1_2.ckpt"});
  CHECK(opened.delete_after({.epoch = 1, .step = 1}).deleted.empty());
  CHECK(here.names().empty());
}

TEST_CASE("checkpoint_directory: what cannot be deleted is reported, and the rest goes") {
  const scratch::directory here;
  const checkpoint_directory opened(here.path(), "net", "ckpt");
  std::filesystem::create_directory(here / "net-1_1.ckpt");
  for (const std::string_view name : {"net-1_2.ckpt", "net-1_3.ckpt"}) scratch::put(here / name, "");
  const deletion_report report = opened.delete_others(latest_n{1}, {.epoch = 1, .step = 3}, durability::none);
  CHECK(report.deleted == names{here / "net-1_2.ckpt"});
  REQUIRE(report.errors.size() == 1);
  CHECK(std::string(report.errors[0].what()) ==
        here / "net-1_1.ckpt: cannot delete the old checkpoint: Is a directory");
  CHECK(report.errors[0].path() == here / "net-1_1.ckpt");
}

TEST_CASE("checkpoint_directory: without the metrics nothing is deleted") {
  const scratch::directory here;
  const checkpoint_directory opened(here.path(), "net", "ckpt");
  for (const std::string_view name : {"net-1_1.ckpt", "net-1_2.ckpt"}) scratch::put(here / name, "");
  scratch::put(opened.path_of_metrics(), "not JSON");
  const deletion_report report = opened.delete_others(latest_n{1}, {.epoch = 1, .step = 2}, durability::none);
  CHECK(report.deleted.empty());
  REQUIRE(report.errors.size() == 1);
  CHECK(report.errors[0].path() == opened.path_of_metrics());
  CHECK(here.names().size() == 3);
}
