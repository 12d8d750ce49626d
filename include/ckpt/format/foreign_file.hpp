#ifndef CKPT_FORMAT_FOREIGN_FILE_HPP
#define CKPT_FORMAT_FOREIGN_FILE_HPP

#include <string_view>

namespace ckpt {

/// What a file is, as a message may say it, that begins as files do which are often taken for checkpoints; empty for
/// all others. `start` are its first bytes, 16 or as many as it has. No ckpt file begins so, but some safetensors files
/// do, whose first bytes are a number.
[[nodiscard]] constexpr std::string_view foreign_file(std::string_view start) noexcept {
  using std::string_view_literals::operator""sv;  // as in dtype_table
  struct kind {
    std::string_view start;
    std::string_view is;
  };
  constexpr kind all[] = {
      {"PK\x03\x04"sv, "a zip archive, as those of PyTorch (.pt, .pth, .bin) and NumPy (.npz) are"sv},
      {"\x80\x02"sv, "a Python pickle, as old ones of PyTorch are"sv},
      {"\x80\x03"sv, "a Python pickle"sv},
      {"\x80\x04"sv, "a Python pickle"sv},
      {"\x80\x05"sv, "a Python pickle"sv},
      {"\x93NUMPY"sv, "an array of NumPy (.npy)"sv},
      {"\x89HDF\r\n\x1a\n"sv, "an HDF5 file, as Keras writes it"sv},
      {"GGUF"sv, "a GGUF file"sv},
      {"\x1f\x8b"sv, "compressed with gzip: unpack it first"sv},
      {"version https://"sv, "a Git LFS pointer to a file: fetch that with `git lfs pull`"sv},
      {"<!DOCTYPE html"sv, "an HTML page, as servers send in place of a file"sv},
      {"<html"sv, "an HTML page, as servers send in place of a file"sv},
  };
  for (const kind& each : all)
    if (start.starts_with(each.start)) return each.is;
  return {};
}

}  // namespace ckpt

#endif
