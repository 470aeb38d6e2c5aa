// SPDX-License-Identifier: Apache-2.0
#include "zoo/show.hpp"

#include <fmt/ranges.h>
#include <fnmatch.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "base/error.hpp"

namespace mote {

namespace {

bool matches(const std::vector<std::string>& globs, const std::string& text) {
  return std::any_of(globs.begin(), globs.end(),
                     [&](const std::string& glob) { return fnmatch(glob.c_str(), text.c_str(), 0) == 0; });
}

bool contains(const std::vector<std::string>& list, const std::string& text) {
  return list.empty() || std::find(list.begin(), list.end(), text) != list.end();
}

void require_known(const std::vector<BookRow>& rows, const std::vector<std::string>& wanted,
                   std::string BookRow::*member, std::string_view what) {
  std::set<std::string> known;
  for (const BookRow& row : rows) known.insert(row.*member);
  for (const std::string& one : wanted)
    require(known.contains(one), "the book has no {} '{}'; it has: {}", what, one, fmt::join(known, ", "));
}

bool is_chosen(const BookRow& row, const RowFilter& filter, const ModelSources& sources) {
  if (!contains(filter.targets, row.target) || !contains(filter.modes, row.mode)) return false;
  if (filter.errors_only && !row.error) return false;
  if (!filter.models.empty() && !names_model(filter.models, row.model)) return false;
  if (filter.licences.empty()) return true;
  const ModelSource* const source = sources.find(row);
  return source != nullptr && matches(filter.licences, source->licence);
}

struct OutputColumn {
  const BookColumn* own;
  const Peer* peer = nullptr;  // nullptr: the book's own
};

using Figures = std::map<std::string, double>;

std::vector<OutputColumn> output_columns(const TableRequest& request,
                                         const std::vector<std::vector<Figures>>& peer_figures) {
  std::vector<const BookColumn*> own;
  for (const BookColumn& column : book_columns()) {
    if (request.columns.empty() && column.shown) own.push_back(&column);
  }
  for (const std::string& name : request.columns) own.push_back(&find_column(name));
  std::vector<OutputColumn> columns;
  for (const BookColumn* const column : own) {
    columns.push_back({column});
    for (size_t peer = 0; peer < request.peers.size(); ++peer) {
      const auto has = [&](const Figures& figures) { return figures.contains(std::string(column->name)); };
      if (std::any_of(peer_figures[peer].begin(), peer_figures[peer].end(), has))
        columns.push_back({column, &request.peers[peer]});
    }
  }
  return columns;
}

Cell peer_cell(const Figures& figures, std::string_view name) {
  const auto found = figures.find(std::string(name));
  if (found == figures.end()) return {};
  const bool whole = found->second == std::floor(found->second) && name != "instructions_per_mac";
  return whole ? Cell(static_cast<int64_t>(found->second)) : Cell(found->second);
}

Cell cell(const std::optional<int64_t>& value) { return value ? Cell(*value) : Cell(); }

}  // namespace

bool names_model(const std::vector<std::string>& globs, const std::string& model) {
  return matches(globs, model) || matches(globs, std::filesystem::path(model).stem().string());
}

std::vector<BookRow> chosen(std::vector<BookRow> rows, const RowFilter& filter, const ModelSources& sources) {
  require_known(rows, filter.targets, &BookRow::target, "target");
  require_known(rows, filter.modes, &BookRow::mode, "mode");
  std::erase_if(rows, [&](const BookRow& row) { return !is_chosen(row, filter, sources); });
  return rows;
}

void sort_rows(std::vector<BookRow>& rows, const std::string& by) {
  const bool descending = by.starts_with('-');
  const BookColumn& column = find_column(descending ? by.substr(1) : by);
  const auto unknown = [](const Cell& cell) { return std::holds_alternative<std::monostate>(cell); };
  std::stable_sort(rows.begin(), rows.end(), [&](const BookRow& a, const BookRow& b) {
    const Cell left = column.value(a), right = column.value(b);
    return descending && !unknown(left) && !unknown(right) ? less(right, left) : less(left, right);
  });
}

Table book_table(const std::vector<BookRow>& rows, const TableRequest& request, const ModelSources& sources) {
  std::vector<std::vector<Figures>> peer_figures(request.peers.size());
  for (size_t peer = 0; peer < request.peers.size(); ++peer) {
    for (const BookRow& row : rows) peer_figures[peer].push_back(best_figures(request.peers[peer], row, sources));
  }
  const std::vector<OutputColumn> columns = output_columns(request, peer_figures);
  Table table;
  for (const OutputColumn& column : columns)
    table.columns.push_back((column.peer != nullptr ? column.peer->name + " " : "") +
                            std::string(column.own->name));
  for (size_t index = 0; index < rows.size(); ++index) {
    const bool has_peer =
        std::any_of(peer_figures.begin(), peer_figures.end(),
                    [&](const std::vector<Figures>& figures) { return !figures[index].empty(); });
    if (request.peers_only && !has_peer) continue;
    std::vector<Cell>& cells = table.rows.emplace_back();
    for (const OutputColumn& column : columns) {
      cells.push_back(column.peer == nullptr
                          ? column.own->value(rows[index])
                          : peer_cell(peer_figures[static_cast<size_t>(column.peer - request.peers.data())][index],
                                      column.own->name));
    }
  }
  return table;
}

Table layer_table(const std::vector<BookRow>& rows) {
  Table table{
      {"model", "target", "mode", "position", "name", "op", "kernel", "macs", "instructions", "code_bytes"}, {}};
  for (const BookRow& row : rows) {
    int64_t position = 0;
    for (const BookLayer& layer : row.layers) {
      table.rows.push_back({row.model, row.target, row.mode, position++, layer.name, layer.op, layer.kernel,
                            layer.macs, cell(layer.instructions), cell(layer.code_bytes)});
    }
  }
  return table;
}

nlohmann::ordered_json book_json(const std::vector<BookRow>& rows) {
  TableRequest all;
  for (const BookColumn& column : book_columns()) all.columns.emplace_back(column.name);
  nlohmann::ordered_json json = to_json(book_table(rows, all, {}));
  for (size_t i = 0; i < rows.size(); ++i) {
    nlohmann::ordered_json& layers = json[i]["layers"] = nlohmann::ordered_json::array();
    for (const BookLayer& layer : rows[i].layers) {
      nlohmann::ordered_json object{
          {"name", layer.name}, {"op", layer.op}, {"kernel", layer.kernel}, {"macs", layer.macs}};
      object["instructions"] = layer.instructions ? nlohmann::ordered_json(*layer.instructions) : nullptr;
      object["code_bytes"] = layer.code_bytes ? nlohmann::ordered_json(*layer.code_bytes) : nullptr;
      layers.push_back(std::move(object));
    }
  }
  return json;
}

}  // namespace mote
