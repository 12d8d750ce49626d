#include <ckpt/checkpoint/file_name.hpp>

#include <doctest/doctest.h>

using namespace ckpt;

TEST_CASE("with_suffix: appended where it is missing") {
  CHECK(with_suffix("lenet", "ckpt") == "lenet.ckpt");
  CHECK(with_suffix("a.bin", "ckpt") == "a.bin.ckpt");
  CHECK(with_suffix("dir.ckpt/a", "ckpt") == "dir.ckpt/a.ckpt");
  CHECK(with_suffix("b.CKPT", "ckpt") == "b.CKPT.ckpt");
  CHECK(with_suffix("/proc/no-such-folder/.", "ckpt") == "/proc/no-such-folder/..ckpt");
}

TEST_CASE("with_suffix: left alone where the name ends so, with or without a dot") {
  CHECK(with_suffix("lenet.ckpt", "ckpt") == "lenet.ckpt");
  CHECK(with_suffix("actckpt", "ckpt") == "actckpt");
  CHECK(with_suffix("ckpt", "ckpt") == "ckpt");
  CHECK(with_suffix("a.safetensors", "safetensors") == "a.safetensors");
}

TEST_CASE("with_suffix: a name of another format is refused") {
  CHECK_THROWS_WITH_AS((void)with_suffix("x.safetensors", "ckpt"),
                       "x.safetensors: names a safetensors file, and would become one of ckpt: choose that format, or "
                       "leave the suffix out",
                       usage_error);
  CHECK_THROWS_WITH_AS((void)with_suffix("x.ckpt", "safetensors"),
                       "x.ckpt: names a ckpt file, and would become one of safetensors: choose that format, or leave "
                       "the suffix out",
                       usage_error);
  CHECK_THROWS_AS((void)with_suffix("x.ckpt", "own"), usage_error);
}

TEST_CASE("with_suffix: a path that names no file is refused before a suffix makes one of it") {
  CHECK_THROWS_WITH_AS((void)with_suffix("", "ckpt"), "the path to write to is empty", usage_error);
  CHECK_THROWS_WITH_AS((void)with_suffix("models/", "ckpt"), "models/: names a directory: add the name of a file",
                       usage_error);
  CHECK_THROWS_WITH_AS((void)with_suffix(".", "ckpt"), ".: cannot write there: Is a directory", io_error);
  CHECK_THROWS_WITH_AS((void)with_suffix("/tmp/..", "ckpt"), "/tmp/..: cannot write there: Is a directory", io_error);
  CHECK_THROWS_WITH_AS((void)with_suffix("/tmp", "ckpt"), "/tmp: cannot write there: Is a directory", io_error);
}
