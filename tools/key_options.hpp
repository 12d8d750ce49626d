#ifndef CKPT_TOOLS_KEY_OPTIONS_HPP
#define CKPT_TOOLS_KEY_OPTIONS_HPP

#include <cstdlib>
#include <optional>
#include <string>

#include <ckpt/cipher/secret_key.hpp>
#include <ckpt/core/error.hpp>

#include "exit_code.hpp"

namespace ckpt::tools {

/// Where the key of an encrypted file is; at most one of them is not empty.
struct key_options {
  std::string file{};        ///< holds the key, in hexadecimal digits or as bytes
  std::string variable{};    ///< of the environment, holds the key in hexadecimal digits
  std::string passphrase{};  ///< variable of the environment that holds a passphrase
  bool allow_unsealed = false;

  [[nodiscard]] bool is_given() const noexcept { return !file.empty() || !variable.empty() || !passphrase.empty(); }

  /// The key; none where none was given. Throws command_line_error where two are, usage_error where there is none to be
  /// had, io_error for the file.
  [[nodiscard]] std::optional<secret_key> read() const {
    if (!file.empty() + !variable.empty() + !passphrase.empty() > 1)
      throw command_line_error("two keys are given for one file: name a file, a variable or a passphrase");
    if (!file.empty()) return secret_key::from_file(file);
    if (!variable.empty()) return secret_key::from_environment(variable);
    if (passphrase.empty()) return std::nullopt;
    const char* const words = std::getenv(passphrase.c_str());
    if (words == nullptr) throw usage_error(errc::key, {}, secret_key::no_variable);
    return secret_key::from_passphrase(words);
  }
};

}  // namespace ckpt::tools

#endif
