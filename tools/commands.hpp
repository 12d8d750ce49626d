#ifndef CKPT_TOOLS_COMMANDS_HPP
#define CKPT_TOOLS_COMMANDS_HPP

#include <string>
#include <vector>

#include "exit_code.hpp"
#include "key_options.hpp"
#include "standard_output.hpp"

/// The commands. Each throws ckpt::error, command_line_error or interrupted for what it cannot do.
namespace ckpt::tools {

struct ls_options {
  std::string file{};
  key_options key{};
  bool json = false;
};
exit_code ls(const ls_options& options, standard_output& out);

struct verify_options {
  std::string file{};
  key_options key{};
  bool require_checksum = false;  ///< or a seal
};
exit_code verify(const verify_options& options, standard_output& out);

struct cat_options {
  std::string file{};
  std::string name{};
  key_options key{};
  std::string output{};  ///< empty: standard output, if no terminal; `-`: standard output
};
exit_code cat(const cat_options& options, standard_output& out);

struct convert_options {
  std::string input{};
  std::string output{};
  std::string format{};  ///< empty: by the suffix of `output`
  std::string only{};
  std::vector<std::string> renames{};
  bool checksum = false;
  key_options key{};      ///< of the input
  std::string cipher{};   ///< that the output is encrypted with; empty: none
  key_options out_key{};  ///< of the output
};
exit_code convert(const convert_options& options, standard_output& out);

struct diff_options {
  std::string a{};
  std::string b{};
  key_options key{};    ///< of A, and of B where it has none of its own
  key_options b_key{};  ///< of B
};
exit_code diff(const diff_options& options, standard_output& out);

struct rekey_options {
  std::string input{};
  std::string output{};
  key_options key{};
  std::string cipher{};  ///< empty: that of the input
  key_options out_key{};
};
exit_code rekey(const rekey_options& options, standard_output& out);

struct key_command_options {
  std::string file{};
  key_options key{};
};
exit_code key(const key_command_options& options, standard_output& out);

}  // namespace ckpt::tools

#endif
