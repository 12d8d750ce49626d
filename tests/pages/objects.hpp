#ifndef CKPT_TESTS_PAGES_OBJECTS_HPP
#define CKPT_TESTS_PAGES_OBJECTS_HPP

// What the pages take for granted: objects and functions, and the program around the blocks.

#include <ckpt/cipher/secret_key.hpp>
#include <ckpt/ckpt.hpp>

#include <cstddef>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

inline lenet5 net;
inline lenet5 other_net;
inline const ckpt::tensor some_tensor({2}, {true, false});
inline std::vector<float> mine(std::size_t{64} * 400);
inline const ckpt::secret_key key = ckpt::secret_key::from_text("0123456789abcdef");

template <class... Values>
void show(const Values&...) {}

void run_blocks();

inline void run(const char* place, void (*block)()) {
  std::printf("%s\n", place);
  block();
}

/// In an empty folder. What was saved stays there, for saves may go on until the end of the program.
int main() try {
  std::filesystem::remove_all("pages.files");
  std::filesystem::create_directory("pages.files");
  std::filesystem::current_path("pages.files");
  std::ofstream("lenet.key") << "000102030405060708090a0b0c0d0e0f\n";
  ckpt::save(net, "big");
  ckpt::save(std::map<std::string, my::matrix>{{"m", {}}}, "matrix");
  run_blocks();
  return 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}

#endif
