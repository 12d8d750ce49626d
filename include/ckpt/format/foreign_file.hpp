#ifndef CKPT_FORMAT_FOREIGN_FILE_HPP
#define CKPT_FORMAT_FOREIGN_FILE_HPP

#include <string_view>

namespace ckpt {

/// What a file is, as a message may say it, that begins as files do which are often taken for checkpoints; empty for
/// all others. `start` are its first bytes, 16 or as many as it has. No ckpt file begins so, but some safetensors files
/// do, whose first bytes are a number.
[[nodiscard]] constexpr std::string_view foreign_file(std::string_view start) noexcept {
  struct kind {
    std::string_view start;
    std::string_view is;
  };
  constexpr kind all[] = {
      {"PK\x03\x04", "a zip archive, as those of PyTorch (.pt, .pth, .bin) and NumPy (.npz) are"},
      {"\x80\x02", "a Python pickle, as old ones of PyTorch are"},
      {"\x80\x03", "a Python pickle"},
      {"\x80\x04", "a Python pickle"},
      {"\x80\x05", "a Python pickle"},
      {"\x93NUMPY", "an array of NumPy (.npy)"},
      {"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras writes it"},
      {"GGUF", "a GGUF file"},
      {"\x1f\x8b", "compressed with gzip: unpack it first"},
      {"version https://", "a Git LFS pointer to a file: fetch that with `git lfs pull`"},
      {"<!DOCTYPE html", "an HTML page, as servers send in place of a file"},
      {"<html", "an HTML page, as servers send in place of a file"},
  };
  for (const kind& each : all)
    if (start.starts_with(each.start)) return each.is;
  return {};
}

}  // namespace ckpt

#endif
