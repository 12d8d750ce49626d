#include <ckpt/checkpoint/file_name.hpp>

#include <doctest/doctest.h>

using namespace ckpt;

TEST_CASE("with_suffix: appended where it is missing") {
  CHECK(with_suffix("lenet", "ckpt") == "lenet.ckpt");
  CHECK(with_suffix("a.bin", "ckpt") == "a.bin.ckpt");
  CHECK(with_suffix("dir.ckpt/a", "ckpt") == "dir.ckpt/a.ckpt");
  CHECK(with_suffix("x.safetensors", "ckpt") == "x.safetensors.ckpt");
  CHECK(with_suffix("b.CKPT", "ckpt") == "b.CKPT.ckpt");
  CHECK(with_suffix("", "ckpt") == ".ckpt");
}

TEST_CASE("with_suffix: left alone where the name ends so, with or without a dot") {
  CHECK(with_suffix("lenet.ckpt", "ckpt") == "lenet.ckpt");
  CHECK(with_suffix("actckpt", "ckpt") == "actckpt");
  CHECK(with_suffix("ckpt", "ckpt") == "ckpt");
  CHECK(with_suffix("a.safetensors", "safetensors") == "a.safetensors");
}
