// Saving while the training goes on: a copy by all cores into memory that is kept, or a fork; then a thread or the
// forked process writes. Errors are not lost, and what is asked for in order is done in order.
#include <ckpt/async.hpp>

#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace {

using weights = std::map<std::string, std::vector<float>>;

void train_a_step(weights& net) {
  for (auto& [name, values] : net)
    for (float& value : values) value += 1;
}

}  // namespace

int main() try {
  weights net{{"conv.weight", std::vector<float>(1000)}, {"fc.weight", std::vector<float>(50000)}};

  std::vector<ckpt::save_job> jobs;
  for (std::int64_t step = 1; step <= 4; ++step) {
    train_a_step(net);
    const ckpt::async mode = step % 2 == 0 ? ckpt::async::process : ckpt::async::thread;
    jobs.push_back(ckpt::save_async(net, "async_" + std::to_string(step), {.append = {{"step", step}}, .mode = mode}));
  }
  for (ckpt::save_job& job : jobs) {
    const ckpt::save_report report = job.get();  // or throws what went wrong
    const ckpt::state_dict loaded = ckpt::load(report.path);
    std::printf("%s: step %lld, weights of %g, %llu bytes%s\n", report.path.c_str(),
                static_cast<long long>(loaded["step"].item<std::int64_t>()),
                static_cast<double>(loaded["fc.weight"].to_vector<float>().front()),
                static_cast<unsigned long long>(report.bytes), report.is_durable ? ", on the disk" : "");
    std::remove(report.path.c_str());
  }

  // Nobody waits for this one; its error reaches the handler.
  {
    const ckpt::save_queue queue;  // at the end of which its saves are done
    (void)ckpt::save_async(net, "no/such/folder/net", {.queue = queue, .on_error = [](const std::exception& error) {
                                                         std::printf("told: %s\n", error.what());
                                                       }});
  }
  return 0;
} catch (const ckpt::error& e) {
  std::fprintf(stderr, "async: %s\n", e.what());
  return 1;
}
