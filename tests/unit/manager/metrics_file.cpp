#include <ckpt/manager/metrics_file.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

#include "../io/scratch.hpp"

using namespace ckpt;
using scratch::message_of;

TEST_CASE("metrics_file: the text") {
  CHECK(metrics_to_json({}) == "{\n}\n");
  CHECK(metrics_to_json({{"a-1_2.ckpt", {{"loss", 0.1}, {"accuracy", 1}}}, {"b\"", {}}}) ==
        "{\n\"a-1_2.ckpt\": {\"accuracy\": 1, \"loss\": 0.1},\n\"b\\\"\": {}\n}\n");
  CHECK(message_of<usage_error>([] { static_cast<void>(metrics_to_json({{"a", {{"\xff", 1}}}})); }) ==
        "the name of a metric is not UTF-8");
}

TEST_CASE("metrics_file: every double comes back, what is not finite as NaN") {
  using limits = std::numeric_limits<double>;
  const step_metrics metrics{{"", -0.0},
                             {"denormal", limits::denorm_min()},
                             {"least", limits::lowest()},
                             {"d\xc3\xad\n", 0.1 + 0.2},
                             {"most", limits::max()},
                             {"small", -limits::min()}};
  const metrics_by_file all{{"a", metrics}, {"b", {}}};
  CHECK(metrics_from_json(metrics_to_json(all), "f") == all);
  for (const double value : {limits::quiet_NaN(), limits::infinity(), -limits::infinity()}) {
    const metrics_by_file back = metrics_from_json(metrics_to_json({{"a", {{"loss", value}}}}), "f");
    CHECK(std::isnan(back.at("a").at("loss")));
  }
  CHECK(metrics_from_json(R"({"a": {"tiny": 1e-999}})", "f").at("a").at("tiny") == 0);
}

TEST_CASE("metrics_file: what is none") {
  const auto said = [](std::string_view text) {
    return message_of<format_error>([&] { static_cast<void>(metrics_from_json(text, "f")); });
  };
  CHECK(said("") == "f: JSON: expected '{', found the end of the text, at byte 0");
  CHECK(said("{} x") == "f: JSON: expected nothing but blanks after the value, found 'x', at byte 3");
  CHECK(said(R"({"a": 1})") == "f: JSON: expected '{', found '1', at byte 6");
  CHECK(said(R"({"a": {"b": "1"}})") == "f: JSON: expected a number, found '\"', at byte 12");
}

TEST_CASE("metrics_file: files") {
  const scratch::directory here;
  const std::string path = here / "metrics.json";
  CHECK(read_metrics(path).empty());
  const metrics_by_file all{{"a", {{"loss", 0.5}}}};
  write_metrics(path, all, {.sync = durability::none, .mode = 0400});
  CHECK(read_metrics(path) == all);
  CHECK(scratch::mode_of(path) == 0400);
  write_metrics(path, {}, {.sync = durability::none, .mode = 0600});
  CHECK(read_metrics(path).empty());
  scratch::put(path, "{");
  CHECK(message_of<format_error>([&] { static_cast<void>(read_metrics(path)); }) ==
        path +
            ": JSON: expected a name in quotes, found the end of the text; to go on without these metrics, remove the "
            "file, at byte 1");
  CHECK(message_of<io_error>([&] { static_cast<void>(read_metrics(here.path())); }) ==
        here.path() + ": cannot open: Is a directory");
}
