#include "contest.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <numeric>
#include <random>
#include <string_view>

#include <sched.h>
#include <sys/mman.h>

namespace bench {

namespace {

[[noreturn]] void usage(const char* program) {
  std::fprintf(stderr, "usage: %s [--folder DIR] [--mib N] [--count N] [--rounds N] [--serve]\n", program);
  std::exit(2);
}

template <class Number>
Number number(std::string_view text, const char* program) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1) usage(program);
  return value;
}

}  // namespace

settings parse(int argc, char** argv) {
  settings result;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--serve") {
      result.serve = true;
      continue;
    }
    if (i + 1 == argc) usage(argv[0]);
    const std::string_view value = argv[++i];
    if (option == "--folder") result.folder = value;
    else if (option == "--mib") result.mebibytes = number<std::size_t>(value, argv[0]);
    else if (option == "--count") result.count = number<std::size_t>(value, argv[0]);
    else if (option == "--rounds") result.rounds = number<int>(value, argv[0]);
    else usage(argv[0]);
  }
  return result;
}

int contest::run() {
  try {
    return m_settings.serve ? serve() : compete();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}

int contest::compete() {
  std::vector<std::vector<double>> figures(m_contestants.size());
  std::vector<std::size_t> order(m_contestants.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::mt19937 random(1);
  for (int round = 0; round < m_settings.rounds; ++round) {
    std::shuffle(order.begin(), order.end(), random);
    for (const std::size_t turn : order) figures[turn].push_back(measure(m_contestants[turn]));
  }
  for (std::size_t i = 0; i < m_contestants.size(); ++i) {
    std::sort(figures[i].begin(), figures[i].end());
    std::printf("%s\t%.6g\t%.6g\t%.6g\n", m_contestants[i].name.c_str(), figures[i][figures[i].size() / 2],
                figures[i].front(), figures[i].back());
  }
  return 0;
}

int contest::serve() {
  for (const contestant& each : m_contestants) std::cout << "contestant " << each.name << '\n';
  std::cout << "ready" << std::endl;
  std::cout.precision(9);
  for (std::string line; std::getline(std::cin, line);) {
    const auto named = [&](const contestant& each) { return each.name == line; };
    const auto chosen = std::find_if(m_contestants.begin(), m_contestants.end(), named);
    try {
      if (line == "warm") {
        warm_memory();
        std::cout << 0 << std::endl;
      } else if (chosen == m_contestants.end()) {
        std::cout << "error there is no such contestant" << std::endl;
      } else {
        std::cout << measure(*chosen) << std::endl;
      }
    } catch (const std::exception& error) {
      std::cout << "error " << error.what() << std::endl;
    }
  }
  return 0;
}

double contest::measure(const contestant& next) const {
  warm_memory();
  return next.measure();
}

void contest::warm_memory() const {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return warm_memory_of_this_core();
  for (std::size_t core = 0; core < CPU_SETSIZE; ++core) {
    if (!CPU_ISSET(core, &allowed)) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    if (::sched_setaffinity(0, sizeof(one), &one) == 0) warm_memory_of_this_core();
  }
  ::sched_setaffinity(0, sizeof(allowed), &allowed);
}

void contest::warm_memory_of_this_core() const {
  constexpr std::size_t page = 4096;
  const std::size_t size = (m_settings.mebibytes + m_settings.mebibytes / 4) << 20;
  void* const address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (address == MAP_FAILED) return;
  ::madvise(address, size, MADV_HUGEPAGE);
  for (std::size_t at = 0; at < size; at += page) static_cast<volatile char*>(address)[at] = 1;
  ::munmap(address, size);
}

}  // namespace bench
