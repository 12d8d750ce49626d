#ifndef CKPT_TOOLS_COMMANDS_HPP
#define CKPT_TOOLS_COMMANDS_HPP

#include <string>
#include <vector>

#include "exit_code.hpp"
#include "standard_output.hpp"

/// The commands. Each throws ckpt::error, command_line_error or interrupted for what it cannot do.
namespace ckpt::tools {

struct ls_options {
  std::string file{};
  bool json = false;
};
exit_code ls(const ls_options& options, standard_output& out);

struct verify_options {
  std::string file{};
};
exit_code verify(const verify_options& options, standard_output& out);

struct cat_options {
  std::string file{};
  std::string name{};
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
};
exit_code convert(const convert_options& options, standard_output& out);

struct diff_options {
  std::string a{};
  std::string b{};
};
exit_code diff(const diff_options& options, standard_output& out);

}  // namespace ckpt::tools

#endif
