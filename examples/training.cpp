// A training that is saved as it goes, and goes on where it was when it is run again.
//
// usage: training [FOLDER]     keeps its checkpoints in FOLDER (training.checkpoints by default)

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <ckpt/manager.hpp>

namespace {

/// Learns y = 3 x - 1, one example a step.
struct line {
  std::vector<float> slope{0.0f};
  std::vector<float> offset{0.0f};

  void visit_parameters(auto&& visitor) {
    visitor("slope", slope);
    visitor("offset", offset);
  }

  float learn(float x, float y) {
    const float wrong = slope[0] * x + offset[0] - y;
    slope[0] -= 0.1f * wrong * x;
    offset[0] -= 0.1f * wrong;
    return wrong * wrong;
  }
};

}  // namespace

int main(int argc, char** argv) try {
  const std::string folder = argc > 1 ? argv[1] : "training.checkpoints";
  constexpr std::uint64_t steps_of_an_epoch = 100;

  ckpt::checkpoint_manager<> manager(
      folder, {.prefix = "line",
               .decision = ckpt::any_of{ckpt::every_n_steps{25}, ckpt::every_n_seconds{600}},
               .preservation = ckpt::any_of{ckpt::latest_n{2}, ckpt::best_n{1, "loss", ckpt::best::smallest}}});

  line net;
  std::uint64_t epoch = 1;
  if (const auto restored = manager.restore_latest()) {
    for (const ckpt::error& skipped : restored->skipped) std::printf("skipped %s\n", skipped.what());
    ckpt::load_into(restored->model, net);
    epoch = restored->from.epoch + 1;  // the last save was at the end of one
    std::printf("go on after %s\n", restored->from.path.c_str());
  }

  for (std::uint64_t step = 1; step <= steps_of_an_epoch; ++step) {
    const float x = static_cast<float>(step % 7) / 7 - 0.5f;
    const double loss = net.learn(x, 3 * x - 1);
    manager.save_async({.epoch = epoch, .step = step, .metrics = {{"loss", loss}}}, net);
  }
  for (const ckpt::checkpoint_report& report : manager.wait()) {
    std::printf("saved   %s\n", report.saved.path.c_str());
    for (const std::string& path : report.deleted) std::printf("deleted %s\n", path.c_str());
    for (const ckpt::error& error : report.errors) std::printf("kept    %s\n", error.what());
  }

  for (const ckpt::checkpoint& each : manager.checkpoints())
    std::printf("there   %s, loss %g\n", each.path.c_str(), each.metrics.at("loss"));
  const ckpt::state_dict latest = ckpt::load(manager.latest()->path);
  return latest["slope"].item<float>() == net.slope[0] ? 0 : 1;
} catch (const ckpt::error& e) {
  std::fprintf(stderr, "training: %s\n", e.what());
  return 1;
}
