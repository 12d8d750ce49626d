#include <csignal>
#include <exception>
#include <functional>
#include <new>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <ckpt/core/error.hpp>
#include <ckpt/version.hpp>

#include "commands.hpp"
#include "exit_code.hpp"
#include "interruption.hpp"
#include "printable.hpp"
#include "standard_error.hpp"
#include "standard_output.hpp"

namespace ckpt::tools {

namespace {

exit_code complain(std::string_view text, exit_code code) {
  print_error("ckpt: " + without_controls(text) + "\n");
  return code;
}

/// The command line: one subcommand for each command, and what it was asked to do.
class command_line {
 public:
  command_line() {
    m_app.set_version_flag("--version", "ckpt " CKPT_VERSION_STRING, "Print the version");
    m_app.require_subcommand(1);
    m_app.footer(
        "  ckpt ls model.safetensors\n"
        "  ckpt convert model.safetensors model.ckpt\n"
        "  ckpt cat model.ckpt conv1.weight -o weight.npy\n"
        "\n"
        "Which format a file has is found out from its content.\n"
        "Exit codes: 0 fine, 1 files differ or a content is refused, 2 usage, 3 I/O.\n"
        "`ckpt COMMAND --help` says more.");
    m_app.get_formatter()->column_width(24);
    m_app.get_formatter()->label("REQUIRED", "");
    m_app.get_formatter()->label("SUBCOMMAND", "COMMAND");
    m_app.get_formatter()->label("Positionals", "Arguments");
    m_app.set_help_flag("-h,--help", "Print this help");
    add_ls();
    add_verify();
    add_cat();
    add_convert();
    add_diff();
    add_rekey();
    add_key();
  }
  command_line(const command_line&) = delete;
  command_line& operator=(const command_line&) = delete;

  /// Throws CLI::ParseError, also where help or the version was asked for.
  void parse(int count, const char* const* arguments) { m_app.parse(count, arguments); }

  exit_code run(standard_output& out) const { return m_run(out); }

  /// Prints what parse threw: help and version to `out`, mistakes to standard error.
  exit_code report(const CLI::ParseError& problem, standard_output& out) const {
    const std::vector<CLI::App*> commands = m_app.get_subcommands();
    const std::vector<std::string> rest = m_app.remaining();
    if (problem.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success) && rest.empty()) {
      std::ostringstream text;
      m_app.exit(problem, text, text);
      out.print(text.str());
      return exit_code::fine;
    }
    if (commands.empty() && rest.empty()) {
      print_error(m_app.help());
      return exit_code::usage;
    }
    const std::string text =
        rest.empty() ? problem.what()
                     : std::string(rest.front().starts_with('-') ? "there is no option " : "there is no command ") +
                           printable(rest.front());
    const std::string command = rest.empty() ? "ckpt " + commands.front()->get_name() : "ckpt";
    return complain(text + "; try `" + command + " --help`", exit_code::usage);
  }

 private:
  template <class Options>
  CLI::App* add(const std::string& name, const std::string& description, const Options& options,
                exit_code (*function)(const Options&, standard_output&)) {
    CLI::App* const command = m_app.add_subcommand(name, description);
    command->group("Commands");
    command->callback([this, &options, function] {
      m_run = [&options, function](standard_output& out) { return function(options, out); };
    });
    return command;
  }

  /// A positional argument that must be there.
  static void argument(CLI::App* command, const std::string& name, std::string& to, const std::string& description) {
    command->add_option(name, to, description)->required()->type_name("");
  }

  /// Where a key is, one way of three; `prefix` stands before the names of the options.
  static void add_key_options(CLI::App* command, key_options& to, const std::string& prefix, const std::string& whose) {
    command->add_option("--" + prefix + "key-file", to.file, "File with the key" + whose)->type_name("F");
    command->add_option("--" + prefix + "key-env", to.variable, "Environment variable with it, in hexadecimal")
        ->type_name("VAR");
    command->add_option("--" + prefix + "passphrase-env", to.passphrase, "Environment variable with a passphrase")
        ->type_name("VAR");
  }

  static void add_input_key(CLI::App* command, key_options& to, const std::string& whose = "") {
    add_key_options(command, to, "", whose);
    command->add_flag("--allow-unsealed", to.allow_unsealed, "Take an encrypted file without a seal, as MindSpore's");
  }

  static CLI::Option* add_cipher(CLI::App* command, std::string& to, const std::string& description) {
    return command->add_option("--encrypt", to, description)
        ->type_name("CIPHER")
        ->check(CLI::IsMember({"aes-gcm", "aes-cbc", "sm4-cbc"}).description(""));
  }

  void add_ls() {
    CLI::App* const command = add("ls", "List what a file holds", m_ls, ls);
    argument(command, "FILE", m_ls.file, "A ckpt or safetensors file");
    command->add_flag("--json", m_ls.json, "As JSON, an entry a line");
    add_input_key(command, m_ls.key);
    command->footer(
        "On a terminal, names that are too long for it are shortened in the middle;\n"
        "elsewhere they are whole. A name that is empty or holds blanks, quotes,\n"
        "backslashes or control characters is shown in quotes, with escapes.\n"
        "\n"
        "JSON: {\"format\": \"ckpt\"|\"safetensors\",\n"
        "\"cipher\": null|\"AES-GCM\"|\"AES-CBC\"|\"SM4-CBC\",\n"
        "\"checksum\": null|\"crc32\", \"sealed\": null|true|false,\n"
        "\"bytes\": size of the file, \"metadata\": {...},\n"
        "\"entries\": [{\"name\", \"kind\": \"tensor\"|\"string\"|\"map\", \"dtype\",\n"
        "\"shape\": [...], \"bytes\"}, ...]}. Dtypes are named as numpy does; that of a\n"
        "string or map is null.");
  }

  void add_verify() {
    CLI::App* const command = add("verify", "Read and check every byte of a file", m_verify, verify);
    argument(command, "FILE", m_verify.file, "A ckpt or safetensors file");
    command->add_flag("--require-crc", m_verify.require_checksum, "Refuse a file without a CRC-32 or seal");
    add_input_key(command, m_verify.key);
    command->footer(
        "Prints `ok` and what was checked, or what is wrong and at which byte. A CRC-32\n"
        "is verified where the file has one. A plain ckpt file without one may have been\n"
        "cut between two entries: nothing in it would show that. --require-crc refuses\n"
        "whatever has none (exit code 1), unless it is encrypted and sealed.");
  }

  void add_cat() {
    CLI::App* const command = add("cat", "Write one tensor as .npy, or one string as text", m_cat, cat);
    argument(command, "FILE", m_cat.file, "A ckpt or safetensors file");
    argument(command, "NAME", m_cat.name, "The entry; write -- before a name that begins with -");
    command->add_option("-o,--output", m_cat.output, "Write to this file (- is standard output)")->type_name("F");
    add_input_key(command, m_cat.key);
    command->footer(
        "The .npy file is what numpy.save writes. What numpy does not have comes as its\n"
        "raw bits: bfloat16 as uint16; float8, and int4 (two numbers a byte), as uint8;\n"
        "float4 and float6 as their packed bytes, with one axis.\n"
        "A string is written as UTF-8; on a terminal a line feed follows.");
  }

  void add_convert() {
    CLI::App* const command = add("convert", "Write a file in the other format, or a part of it", m_convert, convert);
    argument(command, "IN", m_convert.input, "A ckpt or safetensors file");
    argument(command, "OUT", m_convert.output, "The file to write; may be IN itself");
    command->add_option("--to", m_convert.format, "ckpt or safetensors, where OUT does not end so")
        ->type_name("FORMAT")
        ->check(CLI::IsMember({"ckpt", "safetensors"}).description(""));
    command->add_option("--only", m_convert.only, "Only names in which this matches")->type_name("REGEX");
    command->add_option("--rename", m_convert.renames, "Replace all matches in names; may be repeated")
        ->type_name("REGEX=TEXT")
        ->expected(1)
        ->allow_extra_args(false)
        ->take_all();
    command->add_flag("--crc", m_convert.checksum, "Write a CRC-32, as MindSpore's crc_check does");
    add_cipher(command, m_convert.cipher, "Encrypt OUT: aes-gcm, aes-cbc or sm4-cbc");
    add_key_options(command, m_convert.out_key, "out-", " of OUT");
    add_input_key(command, m_convert.key, " of IN");
    command->footer(
        "OUT is replaced as a whole once all is written and synced; until then, and\n"
        "after any error, it is as it was. Like MindSpore, --to adds the suffix where it\n"
        "is missing: a.bin becomes a.bin.ckpt. Metadata is kept between safetensors\n"
        "files, and in a ckpt file the strings of it: what else is lost there is said,\n"
        "but for \"format\". A safetensors file made of a ckpt file says \"format\": \"ms\",\n"
        "as MindSpore's do.\n"
        "\n"
        "Regular expressions are ECMAScript's and match anywhere in a name: use ^ and $\n"
        "for the whole. --only looks at the names of IN. Each --rename sees what the one\n"
        "before made; it is cut at its last =, and $1 in TEXT is the first group:\n"
        "  ckpt convert in.safetensors out.ckpt --rename '^model\\.=' --only '^model\\.'\n"
        "Two entries that would get one name are an error.");
  }

  void add_diff() {
    CLI::App* const command = add("diff", "Compare two files, whatever their formats", m_diff, diff);
    argument(command, "A", m_diff.a, "A ckpt or safetensors file");
    argument(command, "B", m_diff.b, "Another one");
    add_input_key(command, m_diff.key, " of A, and of B if it has no other");
    add_key_options(command, m_diff.b_key, "b-", " of B");
    command->footer(
        "Compares names, dtypes, shapes and values. It compares neither the order of\n"
        "entries nor pairs of a safetensors file's metadata that are no entries: format,\n"
        "crc_num, remove_redundancy, and those that are named as tensors. Values are\n"
        "equal where their bits are. The largest difference is that of numbers: none is\n"
        "shown for bool, float8, float6, float4 and int4. Exit code 1 where anything that\n"
        "is compared differs.");
  }

  void add_rekey() {
    CLI::App* const command = add("rekey", "Encrypt an encrypted file with another key or cipher", m_rekey, rekey);
    argument(command, "IN", m_rekey.input, "An encrypted ckpt file");
    argument(command, "OUT", m_rekey.output, "The file to write, of any name; may be IN itself");
    add_cipher(command, m_rekey.cipher, "aes-gcm, aes-cbc or sm4-cbc; that of IN if not said");
    add_key_options(command, m_rekey.out_key, "out-", " of OUT");
    add_input_key(command, m_rekey.key, " of IN");
    command->footer(
        "The plain bytes stay as they are, and are never written anywhere. What comes of\n"
        "a file without a seal (--allow-unsealed) has one.");
  }

  void add_key() {
    CLI::App* const command = add("key", "Print the key that a passphrase gives for a file", m_key, key);
    argument(command, "FILE", m_key.file, "An encrypted ckpt file");
    command->add_option("--passphrase-env", m_key.key.passphrase, "Environment variable with the passphrase")
        ->type_name("VAR")
        ->required();
    command->footer(
        "In hexadecimal digits: with their bytes as dec_key MindSpore reads the file.\n"
        "Each file has another. docs/encryption.md says how it is derived.");
  }

  ls_options m_ls;
  verify_options m_verify;
  cat_options m_cat;
  convert_options m_convert;
  diff_options m_diff;
  rekey_options m_rekey;
  key_command_options m_key;
  std::function<exit_code(standard_output&)> m_run;
  CLI::App m_app{"Look at, check and convert MindSpore ckpt and safetensors files", "ckpt"};
};

/// Runs what the command line says; whatever goes wrong is said on standard error.
exit_code run(int count, const char* const* arguments) {
  try {
    command_line line;
    standard_output out;
    exit_code code = exit_code::fine;
    try {
      line.parse(count, arguments);
      code = line.run(out);
    } catch (const CLI::ParseError& problem) {
      code = line.report(problem, out);
    }
    out.flush();
    return code;
  } catch (const error& problem) {
    return complain(problem.what(), exit_code_of(problem));
  } catch (const command_line_error& problem) {
    return complain(problem.what(), exit_code::usage);
  } catch (const interrupted& end) {
    std::signal(end.signal, SIG_DFL);
    std::raise(end.signal);
    return exit_code::refused;
  } catch (const std::bad_alloc&) {
    return complain("out of memory", exit_code::io);
  } catch (const std::exception& problem) {
    return complain(problem.what(), exit_code::refused);
  }
}

}  // namespace

}  // namespace ckpt::tools

int main(int count, char** arguments) {
  std::signal(SIGXFSZ, SIG_IGN);  // a file that grows past the limit of the shell is an error as others are
  return static_cast<int>(ckpt::tools::run(count, arguments));
}
