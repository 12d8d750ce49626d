// The code of this program does not say how its checkpoints are written: the option of its build does.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <type_traits>

#include "build_policies.hpp"

int main() {
  try {
    std::map<std::string, ckpt::tensor> weights;
    weights.emplace("weight", ckpt::tensor({2, 2}, {1.0F, 2.0F, 3.0F, 4.0F}));

    ckpt::save_options to;
    ckpt::load_options from;
    // Where the build encrypts, the key comes from outside: 64 hexadecimal digits in an environment variable.
    constexpr bool is_encrypted = !std::is_same_v<ckpt::policy_set<build_policies>::cipher, ckpt::no_cipher>;
    const ckpt::secret_key key =
        is_encrypted ? ckpt::secret_key::from_environment("TRAIN_KEY") : ckpt::secret_key::from_text("not used");
    if (is_encrypted) {
      to.key = key;
      from.key = key;
    }
    const ckpt::save_report report = ckpt::save<build_policies>(weights, "step_1", to);
    const ckpt::state_dict loaded = ckpt::load<build_policies>(report.path, from);
    std::printf("%s: %zu tensors, %s, %s\n", report.path.c_str(), loaded.size(), std::string(loaded.format()).c_str(),
                loaded.is_sealed() ? "encrypted and sealed" : "plain");
    return loaded["weight"].to_vector<float>()[3] == 4.0F ? EXIT_SUCCESS : EXIT_FAILURE;
  } catch (const ckpt::error& problem) {
    std::fprintf(stderr, "%s\n", problem.what());
    return EXIT_FAILURE;
  }
}
