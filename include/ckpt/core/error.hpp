#ifndef CKPT_CORE_ERROR_HPP
#define CKPT_CORE_ERROR_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <ckpt/core/concat.hpp>
#include <ckpt/core/excerpt.hpp>

namespace ckpt {

/// What went wrong, finer than the class of the exception.
enum class errc : std::uint8_t {
  system,            ///< the operating system said no: io_error::cause() says which way
  truncated,         ///< the file ends before its structure does
  changed,           ///< the file is another than when it was opened
  malformed,         ///< bytes that the format does not allow
  unsupported,       ///< legal, but nothing that this format, build or platform can hold
  encrypted,         ///< the file is encrypted, or with another cipher
  not_encrypted,     ///< the file is not encrypted
  key,               ///< no key is given, none that the cipher takes, or another than the file's
  unsealed,          ///< nothing shows that the blocks of an encrypted file are all there and in place
  authentication,    ///< encrypted bytes are not those that were written
  checksum,          ///< the content is not what was written
  missing,           ///< no entry of that name
  duplicate,         ///< one name twice
  invalid_name,      ///< a name that the format or its reference reader does not take
  dtype_mismatch,    ///< the entry holds another element type
  shape_mismatch,    ///< the entry holds another shape or number of elements
  in_use,            ///< another process, or another object of this one, holds it
  not_contiguous,    ///< the bytes do not lie in one piece, or not aligned, where a span needs it
  cancelled,         ///< whoever asked for it has called it off
  stalled,           ///< it made no progress for as long as it was allowed to
  died,              ///< the process that did it has ended before its time
  invalid_argument,  ///< an option or argument that makes no sense
};

/// The facts of an error, for a program; what() says the same to a person. Members that do not apply are empty.
struct error_facts {
  std::string path{};       ///< the file, or "<memory>"
  std::string name{};       ///< the entry
  std::string_view noun{};  ///< what `name` names, a literal: "tensor", "string", "map". Where it is said,
                            ///< the empty name is one, too; where it is not, "tensor" is meant
  std::optional<std::uint64_t> offset{};  ///< byte of the file, from 0
  std::string expected{};
  std::string found{};
};

/// Root of everything this library throws on purpose.
/// what() reads `path: tensor "name": text, at byte N`, without the parts that do not apply.
class error : public std::runtime_error {
 public:
  error(errc code, error_facts facts, std::string_view text)
      : std::runtime_error(compose(facts, text)), m_code(code), m_facts(std::move(facts)), m_text(text) {}

  [[nodiscard]] errc code() const noexcept { return m_code; }
  [[nodiscard]] const error_facts& facts() const noexcept { return m_facts; }
  /// What happened, without the facts that what() has around it.
  [[nodiscard]] const std::string& text() const noexcept { return m_text; }
  [[nodiscard]] const std::string& path() const noexcept { return m_facts.path; }
  [[nodiscard]] const std::string& name() const noexcept { return m_facts.name; }
  [[nodiscard]] std::optional<std::uint64_t> offset() const noexcept { return m_facts.offset; }
  [[nodiscard]] const std::string& expected() const noexcept { return m_facts.expected; }
  [[nodiscard]] const std::string& found() const noexcept { return m_facts.found; }

 private:
  static std::string compose(const error_facts& facts, std::string_view text) {
    const bool named = !facts.name.empty() || !facts.noun.empty();
    const std::string_view noun = facts.noun.empty() ? "tensor" : facts.noun;
    const std::string_view name = excerpt(facts.name, longest_name);
    return concat({facts.path, facts.path.empty() ? "" : ": ", named ? noun : "", named ? " \"" : "", name,
                   name.size() < facts.name.size() ? "..." : "", named ? "\": " : "", text,
                   facts.offset ? ", at byte " : "", facts.offset ? std::to_string(*facts.offset) : ""});
  }

  static constexpr std::size_t longest_name = 200;  // bytes of a name in a message; name() has all

  errc m_code;
  error_facts m_facts;
  std::string m_text;
};

/// The operating system refused. cause() is its reason; what() ends in the reason's own words.
class io_error : public error {
 public:
  io_error(std::error_code cause, error_facts facts, std::string_view text)
      : error(errc::system, std::move(facts), concat({text, ": ", cause.message()})), m_cause(cause) {}

  [[nodiscard]] std::error_code cause() const noexcept { return m_cause; }

 private:
  std::error_code m_cause;
};

/// The bytes of a file are not what its format allows. Nothing of it was handed out.
class format_error : public error {
  using error::error;
};

/// The bytes are well formed and not the ones that were written.
class integrity_error : public error {
  using error::error;
};

/// An entry is there but not of the dtype, shape, kind or layout that was asked for, or is not there at all.
class mismatch_error : public error {
  using error::error;
};

/// A save in the background has ended before its file was complete. The file is as it was.
class job_error : public error {
  using error::error;
};

/// The call itself cannot be carried out, whatever the file holds. Nothing was written.
class usage_error : public error {
  using error::error;
};

}  // namespace ckpt

#endif
