#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <ckpt/cipher/secret_key.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/model/file_index.hpp>
#include <ckpt/tensor/shape.hpp>

#include "checkpoint_file.hpp"
#include "commands.hpp"
#include "human_size.hpp"
#include "printable.hpp"
#include "progress_bar.hpp"
#include "value_difference.hpp"

namespace ckpt::tools {

namespace {

constexpr std::size_t longest_text = 40;  // columns of a string that are shown

/// `float32[2,3]`, `string "text"`, `map`.
std::string description(const index_entry& entry) {
  switch (entry.kind()) {
    case entry_kind::tensor: return std::string(name(entry.type())) + to_string(entry.shape());
    case entry_kind::string: return "string " + elided(in_quotes(entry.text()), longest_text);
    case entry_kind::map: break;
  }
  return "map";
}

class comparison {
 public:
  comparison(const diff_options& options, standard_output& out)
      : comparison(options, out, options.key.read(), options.b_key.read()) {}

  exit_code run() {
    for (const index_entry& entry : m_a.index()) {
      const index_entry* const other = m_b.index().find(entry.name());
      if (other != nullptr && comparable(entry, *other)) m_total += entry.size_bytes();
    }
    for (const index_entry& entry : m_a.index()) {
      if (const index_entry* const other = m_b.index().find(entry.name())) compare(entry, *other);
      else print_only("A", entry, m_only_in_a);
    }
    for (const index_entry& entry : m_b.index())
      if (m_a.index().find(entry.name()) == nullptr) print_only("B", entry, m_only_in_b);
    m_bar.hide();
    return conclude();
  }

 private:
  /// Without a key of its own B has that of A, which then is for whichever is encrypted.
  comparison(const diff_options& options, standard_output& out, const std::optional<secret_key>& key,
             const std::optional<secret_key>& b_key)
      : m_a(options.a, key, options.key.allow_unsealed, b_key ? key_use::needed : key_use::where_encrypted),
        m_b(options.b, b_key ? b_key : key, options.key.allow_unsealed,
            b_key ? key_use::needed : key_use::where_encrypted),
        m_out(out) {
    if (key && m_a.index().cipher().empty() && m_b.index().cipher().empty())
      throw format_error(errc::not_encrypted, {.path = m_a.index().label()},
                         "neither file is encrypted: leave the key out");
  }

  static bool comparable(const index_entry& a, const index_entry& b) {
    return a.kind() == b.kind() && a.type() == b.type() && same_extents(a.shape(), b.shape());
  }

  void print(const std::string& line) {
    m_bar.hide();
    m_out.print(line + "\n");
    m_out.flush();
  }

  void print_only(const char* where, const index_entry& entry, std::uint64_t& count) {
    print("only in " + std::string(where) + ": " + printable(entry.name()) + " " + description(entry));
    ++count;
  }

  void compare(const index_entry& a, const index_entry& b) {
    ++m_common;
    const std::string difference = difference_of(a, b);
    if (difference.empty()) return;
    print(printable(a.name()) + ": " + difference);
    ++m_differing;
  }

  std::string difference_of(const index_entry& a, const index_entry& b) {
    std::string both = description(a) + " in A, " + description(b) + " in B";
    if (!comparable(a, b)) return both;
    switch (a.kind()) {
      case entry_kind::string: return a.text() == b.text() ? "" : both;
      case entry_kind::map: return same_bytes(a, b) ? "" : "the maps differ";
      case entry_kind::tensor: break;
    }
    value_difference values(a.type());
    for_each_buffer(a, b, [&](std::span<const std::byte> first, std::span<const std::byte> second) {
      values.compare(first, second);
      return true;
    });
    return values.count() == 0 ? "" : values.text();
  }

  bool same_bytes(const index_entry& a, const index_entry& b) {
    if (a.size_bytes() != b.size_bytes()) return false;
    bool same = true;
    for_each_buffer(a, b, [&](std::span<const std::byte> first, std::span<const std::byte> second) {
      return same = std::memcmp(first.data(), second.data(), first.size()) == 0;
    });
    return same;
  }

  /// Hands over the content of both, of one size, buffer by buffer, for as long as `use` returns true.
  template <class Use>
  void for_each_buffer(const index_entry& a, const index_entry& b, Use use) {
    content_stream first(m_a.bytes(), a);
    content_stream second(m_b.bytes(), b);
    while (const std::size_t count = first.read(m_first)) {
      second.read(std::span(m_second).first(count));
      if (!use(std::span(m_first).first(count), std::span(m_second).first(count))) return;
      m_bar.update(m_done += count, m_total);
    }
  }

  exit_code conclude() {
    if (m_differing + m_only_in_a + m_only_in_b == 0) {
      print(m_common == 0 ? "equal: both are empty" : "equal: " + counted(m_common, "entry", "entries"));
      return exit_code::fine;
    }
    std::string text =
        m_common == 0 ? "no name in common" : grouped(m_differing) + " of " + grouped(m_common) + " common entries";
    if (m_common > 0) text += m_differing == 1 ? " differs" : " differ";
    if (m_only_in_a > 0) text += ", " + grouped(m_only_in_a) + " only in A";
    if (m_only_in_b > 0) text += ", " + grouped(m_only_in_b) + " only in B";
    print("\n" + text);
    return exit_code::refused;
  }

  checkpoint_file m_a;
  checkpoint_file m_b;
  standard_output& m_out;
  progress_bar m_bar;
  std::vector<std::byte> m_first = std::vector<std::byte>(buffer_size);
  std::vector<std::byte> m_second = std::vector<std::byte>(buffer_size);
  std::uint64_t m_done = 0;
  std::uint64_t m_total = 0;
  std::uint64_t m_common = 0;
  std::uint64_t m_differing = 0;
  std::uint64_t m_only_in_a = 0;
  std::uint64_t m_only_in_b = 0;
};

}  // namespace

exit_code diff(const diff_options& options, standard_output& out) { return comparison(options, out).run(); }

}  // namespace ckpt::tools
