#include <ckpt/format/foreign_file.hpp>

#include <doctest/doctest.h>

#include <string>

#include "ckpt_file.hpp"

using namespace ckpt;
using namespace std::string_literals;

TEST_CASE("foreign_file: what is often taken for a checkpoint") {
  CHECK(foreign_file("PK\x03\x04").starts_with("a zip archive"));
  CHECK(foreign_file("\x80\x02}q").starts_with("a Python pickle"));
  CHECK(foreign_file("\x80\x04\x95").starts_with("a Python pickle"));
  CHECK(foreign_file("\x93NUMPY\x01").starts_with("an array of NumPy"));
  CHECK(foreign_file("\x89HDF\r\n\x1a\n").starts_with("an HDF5 file"));
  CHECK(foreign_file("GGUF\3\0\0\0"s) == "a GGUF file");
  CHECK(foreign_file("\x1f\x8b\x08").starts_with("compressed with gzip"));
  CHECK(foreign_file("version https://git-lfs").starts_with("a Git LFS pointer"));
  CHECK(foreign_file("<!DOCTYPE html>").starts_with("an HTML page"));
  CHECK(foreign_file("<html>").starts_with("an HTML page"));
}

TEST_CASE("foreign_file: nothing else") {
  CHECK(foreign_file("").empty());
  CHECK(foreign_file("PK\x03").empty());
  CHECK(foreign_file("version 1").empty());
  CHECK(foreign_file(ckpt_file::int8("a", "1")).empty());
  CHECK(foreign_file("\x02\0\0\0\0\0\0\0{}"s).empty());
}
