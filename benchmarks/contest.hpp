#ifndef CKPT_BENCHMARKS_CONTEST_HPP
#define CKPT_BENCHMARKS_CONTEST_HPP

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace bench {

/// What the program was told on its command line.
struct settings {
  std::string folder = ".";      ///< where files are written: the file system that is measured
  std::size_t mebibytes = 1024;  ///< of tensor data in the large checkpoint
  std::size_t count = 100000;    ///< of tensors in the checkpoint of many
  int rounds = 9;
  bool serve = false;

  [[nodiscard]] std::string file(const std::string& name) const { return folder + "/" + name; }
};

/// Reads the command line. Prints the usage and ends the program where it makes no sense.
settings parse(int argc, char** argv);

/// Contestants that take turns, so that whatever disturbs the machine meets all of them. Each measures one repetition
/// of its work and returns the figure: seconds, or bytes in a program that measures memory. Before each turn the
/// memory that a turn takes from the system is taken once and given back: a virtual machine gets it back from its host
/// page by page, which else costs whoever comes next ten times what is measured. Each core does so in turn, as the
/// system keeps much of what is given back for the core that gave it: threads on the others would be at a disadvantage.
class contest {
 public:
  explicit contest(settings chosen) : m_settings(std::move(chosen)) {}

  void add(std::string name, std::function<double()> measure) {
    m_contestants.push_back({std::move(name), std::move(measure)});
  }

  /// Runs all in turn, --rounds times, in another order each time, and prints `NAME <tab> median <tab> smallest <tab>
  /// largest`. With --serve: prints `contestant NAME` for each and `ready`, then answers each line of the standard
  /// input, a contestant's name, by its figure or by `error TEXT`, and the line `warm` by 0 when memory is ready for a
  /// contestant of another program. Returns main's exit code.
  int run();

 private:
  struct contestant {
    std::string name;
    std::function<double()> measure;
  };

  int compete();
  int serve();
  double measure(const contestant& next) const;
  void warm_memory() const;
  void warm_memory_of_this_core() const;

  settings m_settings;
  std::vector<contestant> m_contestants;
};

/// Seconds that `work` takes.
template <class Work>
double seconds(Work&& work) {
  const auto begin = std::chrono::steady_clock::now();
  std::forward<Work>(work)();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace bench

#endif
