// SPDX-License-Identifier: Apache-2.0
#include "zoo/table.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace mote {

namespace {

// Shortest form that a person needs: two decimals for what is measured or divided, all digits of a count.
std::string cell_text(const Cell& cell) {
  if (const auto* const integer = std::get_if<int64_t>(&cell)) return std::to_string(*integer);
  if (const auto* const real = std::get_if<double>(&cell)) return fmt::format("{:.2f}", *real);
  if (const auto* const text = std::get_if<std::string>(&cell)) return *text;
  return "";
}

// "22 problems:" alone says nothing: a first line that ends in a colon takes the second with it.
std::string short_text(const std::string& text) {
  const size_t end = text.find('\n');
  if (end == std::string::npos) return text;
  if (end == 0 || text[end - 1] != ':') return text.substr(0, end);
  const size_t begin = std::min(text.find_first_not_of(" \n", end), text.size());
  const size_t second_end = text.find('\n', begin);
  return text.substr(0, end) + " " + text.substr(begin, second_end - begin) +
         (second_end == std::string::npos ? "" : " ...");
}

std::string heading(std::string name) {
  if (name.ends_with("_bytes")) name.replace(name.size() - 6, 6, " B");
  if (name.ends_with("_seconds")) name.replace(name.size() - 8, 8, " s");
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

bool is_known(const Cell& cell) { return !std::holds_alternative<std::monostate>(cell); }

// Without the columns that have no value in any row; a table without rows keeps its headings.
Table without_empty_columns(const Table& table) {
  Table result;
  result.rows.resize(table.rows.size());
  for (size_t column = 0; column < table.columns.size(); ++column) {
    const bool used = table.rows.empty() || std::any_of(table.rows.begin(), table.rows.end(),
                                                        [&](const auto& row) { return is_known(row[column]); });
    if (!used) continue;
    result.columns.push_back(table.columns[column]);
    for (size_t row = 0; row < table.rows.size(); ++row) result.rows[row].push_back(table.rows[row][column]);
  }
  return result;
}

bool is_numeric(const Table& table, size_t column) {
  return std::none_of(table.rows.begin(), table.rows.end(),
                      [&](const auto& row) { return std::holds_alternative<std::string>(row[column]); });
}

// UTF-8: continuation bytes take no place.
size_t width(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char byte) { return (byte & '\xc0') != '\x80'; }));
}

std::string padded(const std::string& text, size_t wanted, bool right) {
  const std::string space(wanted - std::min(wanted, width(text)), ' ');
  return right ? space + text : text + space;
}

// A long text before the last column would push all others out of sight.
std::string cut(std::string text, size_t columns) {
  if (width(text) <= columns) return text;
  while (!text.empty() && width(text) > columns - 3) text.pop_back();
  return text + "...";
}

std::string render_text(const Table& table) {
  std::vector<std::vector<std::string>> lines(table.rows.size() + 1);
  for (size_t column = 0; column < table.columns.size(); ++column) {
    const size_t most = column + 1 == table.columns.size() ? std::string::npos : 50;
    const bool right = is_numeric(table, column);
    std::vector<std::string> cells{heading(table.columns[column])};
    for (const auto& row : table.rows) cells.push_back(cut(short_text(cell_text(row[column])), most));
    size_t widest = 0;
    for (const std::string& cell : cells) widest = std::max(widest, width(cell));
    for (size_t line = 0; line < cells.size(); ++line) lines[line].push_back(padded(cells[line], widest, right));
  }
  std::string text;
  for (const auto& line : lines) {
    std::string joined;
    for (const std::string& cell : line) joined += (joined.empty() ? "" : "  ") + cell;
    text += joined.substr(0, joined.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string markdown_cell(const Cell& cell) {
  std::string text;
  for (const char letter : short_text(cell_text(cell))) text += letter == '|' ? "\\|" : std::string(1, letter);
  return text;
}

std::string render_markdown(const Table& table) {
  std::string text = "|", rule = "|";
  for (size_t column = 0; column < table.columns.size(); ++column) {
    text += " " + heading(table.columns[column]) + " |";
    rule += is_numeric(table, column) ? "---:|" : "---|";
  }
  text += "\n" + rule + "\n";
  for (const auto& row : table.rows) {
    text += "|";
    for (const Cell& cell : row) text += " " + markdown_cell(cell) + " |";
    text += "\n";
  }
  return text;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of("\",\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char letter : text) quoted += letter == '"' ? "\"\"" : std::string(1, letter);
  return quoted + "\"";
}

std::string csv_line(const std::vector<std::string>& fields) {
  std::string line;
  for (const std::string& field : fields)
    line += (line.empty() && &field == &fields[0] ? "" : ",") + csv_field(field);
  return line + "\n";
}

std::string csv_number(const Cell& cell) {
  const auto* const real = std::get_if<double>(&cell);
  return real != nullptr ? fmt::format("{}", *real) : cell_text(cell);
}

std::string render_csv(const Table& table) {
  std::string text = csv_line(table.columns);
  for (const auto& row : table.rows) {
    std::vector<std::string> fields;
    for (const Cell& cell : row) fields.push_back(csv_number(cell));
    text += csv_line(fields);
  }
  return text;
}

}  // namespace

Format parse_format(std::string_view text) {
  for (const auto& [name, format] : {std::pair{"text", Format::text}, std::pair{"markdown", Format::markdown},
                                     std::pair{"csv", Format::csv}, std::pair{"json", Format::json}}) {
    if (text == name) return format;
  }
  fail("--format {}: unknown; choose text, markdown, csv or json", text);
}

nlohmann::ordered_json to_json(const Table& table) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const auto& row : table.rows) {
    nlohmann::ordered_json object = nlohmann::ordered_json::object();
    for (size_t i = 0; i < row.size(); ++i) {
      nlohmann::ordered_json& value = object[table.columns[i]];
      std::visit(
          [&](const auto& held) {
            if constexpr (!std::is_same_v<std::decay_t<decltype(held)>, std::monostate>) value = held;
          },
          row[i]);
    }
    rows.push_back(std::move(object));
  }
  return rows;
}

std::string render(const Table& table, Format format) {
  switch (format) {
    case Format::text: return render_text(without_empty_columns(table));
    case Format::markdown: return render_markdown(without_empty_columns(table));
    case Format::csv: return render_csv(table);
    case Format::json: return to_json(table).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  }
  fail("unknown format {}", static_cast<int>(format));
}

bool less(const Cell& a, const Cell& b) {
  const auto number = [](const Cell& cell) -> std::optional<double> {
    if (const auto* const integer = std::get_if<int64_t>(&cell)) return static_cast<double>(*integer);
    if (const auto* const real = std::get_if<double>(&cell)) return *real;
    return std::nullopt;
  };
  const auto rank = [&](const Cell& cell) { return number(cell) ? 0 : is_known(cell) ? 1 : 2; };
  if (rank(a) != rank(b)) return rank(a) < rank(b);
  if (rank(a) == 0) return *number(a) < *number(b);
  return rank(a) == 1 && std::get<std::string>(a) < std::get<std::string>(b);
}

}  // namespace mote
