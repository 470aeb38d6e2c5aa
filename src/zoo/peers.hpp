// SPDX-License-Identifier: Apache-2.0
// Figures of other systems for the same models, from files, and where the models come from.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "zoo/book.hpp"

namespace mote {

// A line of a table of models: | name | sha256 | repo:path | licence |, in markdown, other columns ignored.
struct ModelSource {
  std::string name;    // of the model file, without extension
  std::string sha256;  // or its first digits; may be empty
  std::string path;    // in its repository
  std::string licence;
};

class ModelSources {
 public:
  ModelSources() = default;
  // Throws Error when the file has no such table.
  explicit ModelSources(const std::filesystem::path& file);

  // By name where the content agrees, else by content; nullptr when it is not listed.
  [[nodiscard]] const ModelSource* find(const BookRow& row) const;
  [[nodiscard]] const ModelSource* find_name(const std::string& name) const;

 private:
  std::vector<ModelSource> sources_;
};

// What one file says of another system. Names of figures are those of the book's columns.
struct PeerRow {
  std::string model;   // name of the model file, without extension; may be empty
  std::string path;    // of the model file in its repository; may be empty
  std::string sha256;  // or its first digits; may be empty
  std::string target;  // a glob: "rv32imac", "cortex-m*"
  std::map<std::string, double> figures;
};

struct Peer {
  std::string name;  // the file's, without extension
  std::vector<PeerRow> rows;
};

// JSON: an array of objects with "model", "target" and figures named like the book's columns. CSV: the same as
// columns with a heading, or the columns of ST's model zoo ("model_file", "activation_ram_kib", ...), whose
// figures stand beside every Cortex-M target. Throws Error when the file is neither.
[[nodiscard]] Peer read_peer(const std::filesystem::path& file);

// The best (smallest) of each figure over all of the peer's rows for this model and target. The model is the same
// when its content is (given in the file, or by `sources`), its path in its repository is, or its name.
[[nodiscard]] std::map<std::string, double> best_figures(const Peer& peer, const BookRow& row,
                                                         const ModelSources& sources);

}  // namespace mote
