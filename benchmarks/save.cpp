// How near does a save come to what the machine can write at all? Two kinds of raw contestants, both with the fewest
// system calls known to be fast: `raw N MiB` writes one hot buffer again and again, which no saver of real tensors can
// quite reach; `raw tensors` writes the tensors from where they lie.
#include <ckpt/checksum/crc32.hpp>
#include <ckpt/ckpt.hpp>

#include <span>
#include <string>
#include <vector>

#include "contest.hpp"
#include "large.hpp"
#include "raw_file.hpp"
#include "raw_writer.hpp"

namespace {

double write_tensors(const bench::settings& chosen, const std::vector<ckpt::parameter>& model, ckpt::durability how) {
  const bench::removed_at_end file(chosen.file("raw"));
  return bench::seconds([&] {
    bench::raw_writer raw(file.path(), chosen.mebibytes * bench::mebibyte, how);
    for (const ckpt::parameter& each : model) raw.write(each.data.bytes());
    raw.finish();
  });
}

template <class... Policies>
double save(const bench::settings& chosen, const std::vector<ckpt::parameter>& model, ckpt::durability how,
            std::uint64_t align = 0) {
  const bench::removed_at_end file(
      chosen.file(std::string("model.").append(ckpt::policy_set<Policies...>::format::suffix)));
  return bench::seconds([&] { ckpt::save<Policies...>(model, file.path(), {.align = align, .durability = how}); });
}

}  // namespace

int main(int argc, char** argv) {
  const bench::settings chosen = bench::parse(argc, argv);
  const std::vector<ckpt::parameter> model = bench::large_model(chosen.mebibytes);
  bench::contest contest(chosen);
  for (const ckpt::durability how : {ckpt::durability::none, ckpt::durability::full}) {
    const std::string prefix = how == ckpt::durability::full ? "durable " : "";
    for (const std::size_t size : {std::size_t{2}, std::size_t{8}, std::size_t{16}})
      contest.add(prefix + "raw " + std::to_string(size) + " MiB",
                  [&, how, size] { return bench::write_hot(chosen, size * bench::mebibyte, how); });
    contest.add(prefix + "raw tensors", [&, how] { return write_tensors(chosen, model, how); });
    contest.add(prefix + "ckpt", [&, how] { return save<ckpt::mindspore>(chosen, model, how); });
    contest.add(prefix + "ckpt aligned", [&, how] { return save<ckpt::mindspore>(chosen, model, how, 64); });
    contest.add(prefix + "safetensors", [&, how] { return save<ckpt::safetensors>(chosen, model, how); });
    contest.add(prefix + "ckpt crc32", [&, how] { return save<ckpt::crc32>(chosen, model, how); });
    contest.add(prefix + "safetensors crc32",
                [&, how] { return save<ckpt::safetensors, ckpt::crc32>(chosen, model, how); });
  }
  return contest.run();
}
