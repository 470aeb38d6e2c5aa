// SPDX-License-Identifier: Apache-2.0
// The footprint book: one SQLite file with a row for each model, target and mode, and the layers of each row.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "zoo/database.hpp"

namespace mote {

// What was measured; each includes the one before.
enum class Detail {
  sizes,   // compiled and linked
  run,     // and run once: instructions and stack
  layers,  // and run once more, counting every layer
};

struct BookLayer {
  std::string name, op, kernel;  // kernel is empty for a view
  int64_t macs = 0;
  std::optional<int64_t> instructions, code_bytes;
};

// `model`, `target` and `mode` identify a row; the next group says what its figures were made from.
struct BookRow {
  std::string model, target, mode;  // model: the file's name without folders

  std::string sha256;              // of the model file; empty when it cannot be read
  std::string mote;                // mote_build()
  std::string compiler, emulator;  // first line of their --version; empty where none is used
  Detail detail = Detail::sizes;

  std::optional<int64_t> model_bytes;
  std::optional<int64_t> macs, arena_bytes, lower_bound_bytes, weight_bytes, code_bytes, stack_bound_bytes,
      library_ram_bytes, stack_peak_bytes, instructions;
  std::optional<double> compile_seconds;  // Mote itself: from reading the file to the plan
  std::optional<double> measure_seconds;  // cross compiler and emulator
  std::optional<std::string> error;       // why figures are missing
  std::vector<BookLayer> layers;
};

class Book {
 public:
  static constexpr int64_t version = 1;

  // Creates the file when it is not there.
  [[nodiscard]] static Book open_or_create(const std::filesystem::path& file);
  // Throws Error when the file is not there.
  [[nodiscard]] static Book open(const std::filesystem::path& file);

  // Sorted by model, target, mode; layers only when asked for.
  [[nodiscard]] std::vector<BookRow> rows(bool with_layers) const;

  // Replaces the row of the same model, target and mode, in one transaction.
  void put(const BookRow& row);

 private:
  explicit Book(Database database);
  Database database_;
};

}  // namespace mote
