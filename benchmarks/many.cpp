// What does a small tensor cost? Saves, indexes and loads many float32 tensors of 16 bytes. Run it with two values of
// --count to see whether the cost of one grows with their number.
#include <ckpt/ckpt.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "contest.hpp"
#include "raw_file.hpp"

namespace {

std::vector<ckpt::parameter> small_tensors(std::size_t count) {
  std::vector<ckpt::parameter> model;
  model.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = static_cast<float>(i);
    model.push_back({"layer" + std::to_string(i) + ".weight", ckpt::tensor({4}, {value, value, value, value})});
  }
  return model;
}

template <class Format>
void add(bench::contest& to, const bench::settings& chosen, const std::vector<ckpt::parameter>& model) {
  const std::string format(Format::name);
  const auto file = std::make_shared<bench::removed_at_end>(chosen.file("many." + format));
  const ckpt::save_options options{.durability = ckpt::durability::none};
  ckpt::save<Format>(model, file->path(), options);
  to.add(format + " save", [=, &model] {
    ::unlink(file->path().c_str());
    return bench::seconds([&] { ckpt::save<Format>(model, file->path(), options); });
  });
  to.add(format + " index", [=, &model] {
    std::size_t found = 0;
    const double result = bench::seconds([&] { found = ckpt::inspect(file->path()).size(); });
    if (found != model.size()) throw std::runtime_error("the index has another number of tensors");
    return result;
  });
  to.add(format + " load", [=] { return bench::seconds([&] { (void)ckpt::load(file->path()); }); });
}

}  // namespace

int main(int argc, char** argv) {
  const bench::settings chosen = bench::parse(argc, argv);
  const std::vector<ckpt::parameter> model = small_tensors(chosen.count);
  bench::contest contest(chosen);
  add<ckpt::mindspore>(contest, chosen, model);
  add<ckpt::safetensors>(contest, chosen, model);
  return contest.run();
}
