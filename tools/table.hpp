#ifndef CKPT_TOOLS_TABLE_HPP
#define CKPT_TOOLS_TABLE_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "printable.hpp"
#include "standard_output.hpp"

namespace ckpt::tools {

/// What to do with a name that is wider than its column.
enum class long_names : std::uint8_t { elide, keep };

/// Rows of text in aligned columns: the last one to the right, the others to the left. The first holds names, which
/// give way where a row is too wide.
template <std::size_t Columns>
class table {
 public:
  using row = std::array<std::string, Columns>;

  void add(row cells) {
    for (std::size_t column = 0; column < Columns; ++column) {
      const std::size_t width = display_width(cells[column]);
      if (width > m_widths[column]) m_widths[column] = width;
    }
    m_rows.push_back(std::move(cells));
  }

  /// Prints all rows, in columns that fit into `columns` as long as that leaves the names `shortest_name` of them. A
  /// longer name is elided, or left whole and pushes the rest of its row
  /// to the right, as far as it has to.
  void print(standard_output& out, std::size_t columns, long_names how) const {
    std::size_t others = gap * (Columns - 1);
    for (std::size_t column = 1; column < Columns; ++column) others += m_widths[column];
    const std::size_t room = columns > others + shortest_name ? columns - others : shortest_name;
    const std::size_t names = room < m_widths[0] ? room : m_widths[0];
    for (const row& cells : m_rows) out.print(line(cells, names, how));
  }

 private:
  static constexpr std::size_t gap = 2;
  static constexpr std::size_t shortest_name = 16;

  [[nodiscard]] std::string line(const row& cells, std::size_t names, long_names how) const {
    std::string text = how == long_names::elide ? elided(cells[0], names) : cells[0];
    std::size_t width = display_width(text);
    std::size_t end = names;  // of the column
    for (std::size_t column = 1; column < Columns; ++column) {
      const std::size_t cell = display_width(cells[column]);
      const std::size_t begin = end + gap;
      end = begin + m_widths[column];
      std::size_t at = column == Columns - 1 ? end - cell : begin;
      if (at < width + gap) at = width + gap;
      text.append(at - width, ' ').append(cells[column]);
      width = at + cell;
    }
    return text.append("\n");
  }

  std::vector<row> m_rows;
  std::array<std::size_t, Columns> m_widths{};
};

}  // namespace ckpt::tools

#endif
