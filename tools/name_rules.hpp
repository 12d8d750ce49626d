#ifndef CKPT_TOOLS_NAME_RULES_HPP
#define CKPT_TOOLS_NAME_RULES_HPP

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ckpt::tools {

/// Which names a conversion takes (--only) and what it makes of them (--rename). Regular expressions are ECMAScript's,
/// on characters, and match anywhere in a name.
class name_rules {
 public:
  /// `only` empty: all names; `renames` as `REGEX=TEXT`, cut at the last `=`. Throws command_line_error for what is
  /// neither.
  name_rules(const std::string& only, const std::vector<std::string>& renames);
  name_rules(const name_rules&) = delete;
  name_rules& operator=(const name_rules&) = delete;
  ~name_rules();

  /// Both throw format_error for a name longer than what its regular expression is let loose on.
  [[nodiscard]] bool wants(std::string_view name) const;
  /// Every rule in turn, each on what the one before made; all matches of each are replaced.
  [[nodiscard]] std::string rename(std::string_view name);

  /// Rules, as they were given, that no name has matched so far.
  [[nodiscard]] std::vector<std::string> unused() const;

  /// Characters of the longest name for an expression: std::regex recurses for each of them, the deeper the more
  /// groups.
  [[nodiscard]] static std::size_t longest_name(std::wstring_view expression) noexcept;

 private:
  struct only_rule;
  struct rename_rule;

  std::vector<only_rule> m_only;
  std::vector<rename_rule> m_renames;
};

}  // namespace ckpt::tools

#endif
