// SPDX-License-Identifier: Apache-2.0
// Tables of a footprint book: chosen rows and columns, peers' figures beside Mote's own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "zoo/columns.hpp"
#include "zoo/peers.hpp"

namespace mote {

// Empty lists choose all.
struct RowFilter {
  std::vector<std::string> models = {};  // globs of file names, with or without extension
  std::vector<std::string> targets = {}, modes = {};
  std::vector<std::string> licences = {};  // globs of the licences in the sources; unlisted models are left out
  bool errors_only = false;
};

// Whether one of the globs matches a model's file name, with or without extension.
[[nodiscard]] bool names_model(const std::vector<std::string>& globs, const std::string& model);

// Throws Error when a target or mode is unknown to the book.
[[nodiscard]] std::vector<BookRow> chosen(std::vector<BookRow> rows, const RowFilter& filter,
                                          const ModelSources& sources);

// By a column; "-" before its name: the largest first. Rows without a value come last. Throws Error listing the
// columns.
void sort_rows(std::vector<BookRow>& rows, const std::string& by);

struct TableRequest {
  std::vector<std::string> columns = {};  // empty: those that are usually wanted
  std::vector<Peer> peers = {};           // each figure that a peer has stands right of the book's own
  bool peers_only = false;                // leave out rows of which no peer has a figure
};

[[nodiscard]] Table book_table(const std::vector<BookRow>& rows, const TableRequest& request,
                               const ModelSources& sources);

// The layers of all rows.
[[nodiscard]] Table layer_table(const std::vector<BookRow>& rows);

// All columns and the layers of each row: an array of objects.
[[nodiscard]] nlohmann::ordered_json book_json(const std::vector<BookRow>& rows);

}  // namespace mote
