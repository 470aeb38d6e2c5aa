// SPDX-License-Identifier: Apache-2.0
#include "zoo/peers.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/files.hpp"
#include "zoo/comma_separated.hpp"

namespace mote {

namespace {

namespace fs = std::filesystem;

using Record = std::map<std::string, std::string>;

constexpr const char* figures[] = {"instructions", "instructions_per_mac", "arena_bytes",
                                   "weight_bytes", "code_bytes",           "flash_bytes",
                                   "ram_bytes",    "stack_bound_bytes",    "stack_peak_bytes"};

// ST's tool prints KiB, under either name.
constexpr std::pair<const char*, const char*> kib_figures[] = {{"activation_ram_kib", "arena_bytes"},
                                                               {"weights_flash_kib", "weight_bytes"},
                                                               {"code_flash_kib", "code_bytes"},
                                                               {"total_ram_kib", "ram_bytes"},
                                                               {"total_flash_kib", "flash_bytes"}};

std::string field(const Record& record, const std::string& name) {
  const auto found = record.find(name);
  return found == record.end() ? "" : found->second;
}

std::optional<double> number(const Record& record, const std::string& name) {
  const std::string text = field(record, name);
  double value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string stem(const std::string& path) { return fs::path(path).stem().string(); }

// "rv32imac (qemu virt)" is rv32imac.
std::string first_word(const std::string& text) { return text.substr(0, text.find(' ')); }

PeerRow peer_row(const Record& record) {
  PeerRow row;
  row.sha256 = field(record, "sha256");
  row.path = field(record, "model_file");
  row.model = row.path.empty() ? field(record, "model") : stem(row.path);
  row.target = first_word(field(record, "target"));
  for (const char* const figure : figures) {
    if (const std::optional<double> value = number(record, figure)) row.figures[figure] = *value;
  }
  for (const auto& [column, figure] : kib_figures) {
    if (const std::optional<double> value = number(record, column)) {
      row.figures[figure] = std::round(*value * 1024);
      row.target = "cortex-m*";
    }
  }
  return row;
}

std::vector<Record> json_records(const std::string& text, const std::string& file) {
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  require(json.is_array(), "{}: is not a JSON array of objects with model, target and figures", file);
  std::vector<Record> records;
  for (const nlohmann::json& object : json) {
    require(object.is_object(), "{}: row {} is not a JSON object", file, records.size());
    Record record;
    for (const auto& [key, value] : object.items()) {
      if (value.is_string()) record[key] = value.get<std::string>();
      if (value.is_number()) record[key] = value.dump();
    }
    records.push_back(std::move(record));
  }
  return records;
}

std::vector<std::string> markdown_cells(const std::string& line) {
  std::vector<std::string> cells;
  for (size_t begin = line.find('|'); begin != std::string::npos && begin + 1 < line.size();) {
    const size_t end = line.find('|', begin + 1);
    if (end == std::string::npos) break;
    const std::string cell = line.substr(begin + 1, end - begin - 1);
    const size_t first = cell.find_first_not_of(' ');
    cells.push_back(first == std::string::npos ? ""
                                               : cell.substr(first, cell.find_last_not_of(" \r") - first + 1));
    begin = end;
  }
  return cells;
}

// Headings may say more: "sha256[:16]", "licence (as visible)".
std::optional<size_t> heading(const std::vector<std::string>& cells, std::string_view name) {
  const auto found =
      std::find_if(cells.begin(), cells.end(), [&](const std::string& cell) { return cell.starts_with(name); });
  return found == cells.end() ? std::nullopt : std::optional(static_cast<size_t>(found - cells.begin()));
}

bool same_content(const std::string& sha256, const std::string& given) {
  return given.size() >= 8 && sha256.starts_with(given);
}

bool same_model(const PeerRow& peer, const BookRow& row, const ModelSources& sources) {
  if (!peer.sha256.empty()) return same_content(row.sha256, peer.sha256);
  const ModelSource* const source = sources.find(row);
  if (source != nullptr && !peer.path.empty()) return peer.path == source->path;
  const ModelSource* const peer_source = sources.find_name(peer.model);
  if (peer_source != nullptr && same_content(row.sha256, peer_source->sha256)) return true;
  return !peer.model.empty() && peer.model == stem(row.model);
}

}  // namespace

ModelSources::ModelSources(const fs::path& file) {
  const std::string text = read_text(file);
  std::optional<size_t> name, hash, path, licence;
  for (size_t begin = 0; begin < text.size(); begin = std::min(text.find('\n', begin), text.size() - 1) + 1) {
    const std::vector<std::string> cells = markdown_cells(text.substr(begin, text.find('\n', begin) - begin));
    if (!name || !licence) {
      name = heading(cells, "name"), hash = heading(cells, "sha256");
      path = heading(cells, "repo:path"), licence = heading(cells, "licence");
      continue;
    }
    const auto cell = [&](std::optional<size_t> at) { return at && *at < cells.size() ? cells[*at] : ""; };
    if (cell(name).empty() || cell(name).starts_with("---")) continue;
    const std::string place = cell(path);
    sources_.push_back({cell(name), cell(hash), place.substr(place.find(':') + 1), cell(licence)});
  }
  require(!sources_.empty(), "{}: has no markdown table with the columns name, sha256, repo:path and licence",
          file.string());
}

const ModelSource* ModelSources::find_name(const std::string& name) const {
  for (const ModelSource& source : sources_) {
    if (source.name == name) return &source;
  }
  return nullptr;
}

const ModelSource* ModelSources::find(const BookRow& row) const {
  const ModelSource* const named = find_name(stem(row.model));
  if (named != nullptr && (named->sha256.empty() || same_content(row.sha256, named->sha256))) return named;
  for (const ModelSource& source : sources_) {
    if (same_content(row.sha256, source.sha256)) return &source;
  }
  return nullptr;
}

Peer read_peer(const fs::path& file) {
  const std::string text = read_text(file);
  const std::vector<Record> records =
      file.extension() == ".csv" ? read_comma_separated(text, file.string()) : json_records(text, file.string());
  Peer peer{file.stem().string(), {}};
  for (const Record& record : records) {
    PeerRow row = peer_row(record);
    if (!row.figures.empty()) peer.rows.push_back(std::move(row));
  }
  require(!peer.rows.empty(),
          "{}: has no figures; a row needs model, target and one of instructions, arena_bytes, code_bytes, "
          "weight_bytes, flash_bytes, ram_bytes, or the columns of ST's model zoo",
          file.string());
  return peer;
}

std::map<std::string, double> best_figures(const Peer& peer, const BookRow& row, const ModelSources& sources) {
  std::map<std::string, double> best;
  for (const PeerRow& candidate : peer.rows) {
    if (fnmatch(candidate.target.c_str(), row.target.c_str(), 0) != 0) continue;
    if (!same_model(candidate, row, sources)) continue;
    for (const auto& [figure, value] : candidate.figures) {
      const auto [entry, added] = best.emplace(figure, value);
      if (!added) entry->second = std::min(entry->second, value);
    }
  }
  return best;
}

}  // namespace mote
