#include <ckpt/format/concept.hpp>

#include <doctest/doctest.h>

#include <string_view>

using namespace ckpt;

namespace {

struct a_format {
  static constexpr std::string_view name = "mine";
  static constexpr const char* suffix = "mine";
  static plan make_plan(const entries&, const format_options&) { return {}; }
  static file_index read_index(const source& from) { return {name, from.label(), from.size()}; }
};
struct without_name : a_format {
  static void name();
};
struct without_suffix : a_format {
  static void suffix();
};
struct writes_something_else : a_format {
  static int make_plan(const entries&, const format_options&) { return 0; }
};
struct cannot_read : a_format {
  static void read_index(const source&) = delete;
};

}  // namespace

TEST_CASE("file_format: a name, a suffix, a plan and an index") {
  CHECK(file_format<a_format>);
  CHECK(!file_format<without_name>);
  CHECK(!file_format<without_suffix>);
  CHECK(!file_format<writes_something_else>);
  CHECK(!file_format<cannot_read>);
  CHECK(!file_format<int>);
}
