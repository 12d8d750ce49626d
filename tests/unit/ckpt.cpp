#include <ckpt/ckpt.hpp>

#include <doctest/doctest.h>

#include "io/scratch.hpp"

namespace {

struct dense {
  ckpt::tensor weight{{2, 2}, {1.0F, 2.0F, 3.0F, 4.0F}};
  std::vector<float> bias{5.0F, 6.0F};
  void visit_parameters(auto&& visitor) const {
    visitor("weight", weight);
    visitor("bias", bias);
  }
};

struct network {
  dense fc1;
  dense fc2;
  void visit_parameters(auto&& visitor) const {
    visitor("fc1", fc1);
    visitor("fc2", fc2);
  }
};

}  // namespace

// What a program of one include does.
TEST_CASE("ckpt.hpp: a network is saved, inspected, loaded, read in part and saved again") {
  const scratch::directory here;
  const network net;
  const ckpt::tensor mask({2}, {true, false});
  const ckpt::save_report report =
      ckpt::save(net, here / "net",
                 {.append = {{"epoch", 3}, {"lr", 0.1F}, {"best", true}, {"note", "d\u00eda"}, {"mask", mask}}});
  CHECK(report.path == here / "net.ckpt");

  CHECK(ckpt::inspect(here / "net.ckpt").size() == 9);
  const ckpt::state_dict model = ckpt::load(here / "net.ckpt");
  CHECK(model["fc2.bias"].to_vector<float>() == net.fc2.bias);
  CHECK(model["epoch"].item<std::int64_t>() == 3);
  CHECK(model["lr"].item<float>() == 0.1F);
  CHECK(model["best"].item<bool>());
  CHECK(model["note"].text() == "d\u00eda");
  CHECK(model["mask"].to_vector<bool>() == std::vector<bool>{true, false});

  std::vector<float> row(2);
  ckpt::load_into(here / "net.ckpt", "fc1.weight", std::span(row), {{1, 2}});
  CHECK(row == std::vector<float>{3.0F, 4.0F});

  ckpt::save<ckpt::safetensors>(model, here / "net");
  const ckpt::state_dict other = ckpt::load(here / "net.safetensors");
  CHECK(other.format() == "safetensors");
  CHECK(other["fc1.weight"].as<float>()[3] == 4.0F);
  CHECK(other.size() == model.size());
}
