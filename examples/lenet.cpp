// The main job, on a network that needs no data: save it, load it, look at it, and put the values back.
//
// usage: lenet [FOLDER]     writes FOLDER/lenet.ckpt and FOLDER/lenet.safetensors (here by default)

#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ckpt/ckpt.hpp>

namespace {

// A network of your own: any class that names its members. Nested cells give names with dots.
struct dense {
  ckpt::tensor weight;
  ckpt::tensor bias;

  dense(std::int64_t inputs, std::int64_t outputs)
      : weight(ckpt::dtype::float32, {outputs, inputs}), bias(ckpt::dtype::float32, {outputs}) {}

  void visit_parameters(auto&& visitor) {
    visitor("weight", weight);
    visitor("bias", bias);
  }
};

struct convolution {
  ckpt::tensor weight;

  convolution(std::int64_t inputs, std::int64_t outputs, std::int64_t size)
      : weight(ckpt::dtype::float32, {outputs, inputs, size, size}) {}

  void visit_parameters(auto&& visitor) { visitor("weight", weight); }
};

struct lenet5 {
  convolution conv1{1, 6, 5};
  convolution conv2{6, 16, 5};
  dense fc1{400, 120};
  dense fc2{120, 84};
  dense fc3{84, 10};

  void visit_parameters(auto&& visitor) {
    visitor("conv1", conv1);
    visitor("conv2", conv2);
    visitor("fc1", fc1);
    visitor("fc2", fc2);
    visitor("fc3", fc3);
  }
};

// In place of training: values that differ everywhere.
void fill(ckpt::tensor& tensor, float start) {
  for (float& value : tensor.as<float>()) value = (start += 0.001f);
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string folder = argc > 1 ? argv[1] : ".";

  lenet5 net;
  fill(net.conv1.weight, -0.5f);
  fill(net.conv2.weight, -1.0f);
  fill(net.fc1.weight, -24.0f);
  fill(net.fc2.weight, -5.0f);
  fill(net.fc3.weight, 0.25f);

  // Save: what MindSpore's save_checkpoint(net, ..., append_dict=...) writes, byte for byte.
  const ckpt::save_report report =
      ckpt::save(net, folder + "/lenet", {.append = {{"epoch", 3}, {"lr", 0.1f}, {"note", "día uno"}}});
  std::printf("saved  %s, %llu bytes\n", report.path.c_str(), static_cast<unsigned long long>(report.bytes));

  // The same as safetensors, the convolutions alone.
  const ckpt::save_report small = ckpt::save<ckpt::safetensors>(
      net, folder + "/lenet", {.choose = [](std::string_view name) { return name.starts_with("conv"); }});
  std::printf("saved  %s, %llu bytes\n", small.path.c_str(), static_cast<unsigned long long>(small.bytes));

  // Load: which format it is, is found out. Nothing is copied before it is asked for.
  const ckpt::state_dict model = ckpt::load(report.path);
  for (const auto& [name, value] : model) {
    const bool is_text = value.kind() == ckpt::entry_kind::string;
    const std::string_view type = is_text ? "string" : ckpt::name(value.type());
    std::printf("       %-13.*s %-8.*s %s\n", static_cast<int>(name.size()), name.data(), static_cast<int>(type.size()),
                type.data(), is_text ? value.text().c_str() : ckpt::to_string(value.shape()).c_str());
  }

  const std::vector<float> weights = model["fc3.weight"].to_vector<float>();
  std::printf("loaded fc3.weight[0] = %.3f, epoch = %lld, note = %s\n", static_cast<double>(weights[0]),
              static_cast<long long>(model["epoch"].item<std::int64_t>()), model["note"].text().c_str());

  // Zero copy: safetensors files are aligned, and ckpt files are when they are saved with {.align = 64}.
  const ckpt::state_dict mapped = ckpt::load(small.path);
  const std::span<const float> conv1 = mapped["conv1.weight"].as<float>();
  std::printf("mapped conv1.weight, %zu values, first %.3f\n", conv1.size(), static_cast<double>(conv1[0]));

  // Fill a network from the file, each parameter from the tensor of its name; nothing but names, dtypes and shapes that
  // fit is taken.
  lenet5 other;
  const ckpt::load_report filled = ckpt::load_into(report.path, other);
  const bool same = other.fc3.weight.as<float>()[839] == net.fc3.weight.as<float>()[839];
  std::printf("filled %zu parameters of a network; beside them the file has %zu values\n", filled.filled,
              filled.unexpected.size());
  return same ? 0 : 1;
} catch (const ckpt::error& e) {
  std::fprintf(stderr, "lenet: %s\n", e.what());
  return 1;
}
