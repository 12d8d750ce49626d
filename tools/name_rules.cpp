#include "name_rules.hpp"

#include <algorithm>
#include <cstddef>
#include <regex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ckpt/core/error.hpp>
#include <ckpt/json/utf8.hpp>

#include "exit_code.hpp"
#include "printable.hpp"

namespace ckpt::tools {

namespace {

// std::regex on char would match bytes, and cut characters apart.
static_assert(sizeof(wchar_t) >= 4, "a wchar_t holds any character");

std::wstring wide(std::string_view text) {
  std::wstring out;
  while (!text.empty()) {
    const utf8_character next = decode_utf8(text);
    out += static_cast<wchar_t>(next.size == 0 ? U'\ufffd' : next.code_point);
    text.remove_prefix(next.size == 0 ? 1 : next.size);
  }
  return out;
}

std::string narrow(const std::wstring& text) {
  std::string out;
  for (const wchar_t character : text) {
    char bytes[4];
    out.append(bytes, encode_utf8(static_cast<char32_t>(character), bytes));
  }
  return out;
}

std::wregex compile(const std::string& option, const std::string& expression) {
  if (!is_utf8(expression)) throw command_line_error(option + ": " + in_quotes(expression) + " is not UTF-8");
  try {
    return std::wregex(wide(expression));
  } catch (const std::regex_error& problem) {
    throw command_line_error(option + ": " + in_quotes(expression) + " is not a regular expression: " + problem.what());
  }
}

/// A regular expression, and how long a name may be for it.
struct bounded_regex {
  bounded_regex(const std::string& option, const std::string& text)
      : expression(compile(option, text)), longest(name_rules::longest_name(wide(text))) {}

  /// Whether it matches anywhere in the name. Throws as require().
  [[nodiscard]] bool is_in(const std::wstring& name) const {
    require(name);
    return std::regex_search(name, expression);
  }

  /// Throws format_error for a longer one.
  void require(const std::wstring& name) const {
    if (name.size() > longest)
      throw format_error(errc::unsupported, {.name = elided(narrow(name), 60), .noun = "entry"},
                         "the name has " + std::to_string(name.size()) +
                             " characters; --only and --rename take names of up to " + std::to_string(longest) +
                             " where the expression has so many groups");
  }

  std::wregex expression;
  std::size_t longest;
};

}  // namespace

std::size_t name_rules::longest_name(std::wstring_view expression) noexcept {
  constexpr std::size_t without_groups = 4096;
  const auto groups = static_cast<std::size_t>(std::count(expression.begin(), expression.end(), L'('));
  return without_groups * 4 / (4 + groups);
}

struct name_rules::only_rule {
  bounded_regex regex;
};

struct name_rules::rename_rule {
  std::string given;
  bounded_regex regex;
  std::wstring replacement;
  bool has_matched = false;
};

name_rules::name_rules(const std::string& only, const std::vector<std::string>& renames) {
  if (!only.empty()) m_only.push_back({bounded_regex("--only", only)});
  for (const std::string& given : renames) {
    const std::size_t cut = given.rfind('=');
    if (cut == std::string::npos)
      throw command_line_error("--rename: " + in_quotes(given) + " has no '='; write REGEX=TEXT");
    if (cut == 0)
      throw command_line_error("--rename: " + in_quotes(given) + " has nothing before its '='; write REGEX=TEXT");
    m_renames.push_back({given, bounded_regex("--rename", given.substr(0, cut)), wide(given.substr(cut + 1))});
  }
}

name_rules::~name_rules() = default;

bool name_rules::wants(std::string_view name) const { return m_only.empty() || m_only.front().regex.is_in(wide(name)); }

std::string name_rules::rename(std::string_view name) {
  if (m_renames.empty()) return std::string(name);
  std::wstring text = wide(name);
  for (rename_rule& rule : m_renames) {
    if (!rule.regex.is_in(text)) continue;
    rule.has_matched = true;
    text = std::regex_replace(text, rule.regex.expression, rule.replacement);
    rule.regex.require(text);
  }
  return narrow(text);
}

std::vector<std::string> name_rules::unused() const {
  std::vector<std::string> rules;
  for (const rename_rule& rule : m_renames)
    if (!rule.has_matched) rules.push_back(rule.given);
  return rules;
}

}  // namespace ckpt::tools
