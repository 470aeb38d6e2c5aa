// SPDX-License-Identifier: Apache-2.0
// Flags and steps that several commands share.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "base/output_directory.hpp"
#include "fit/assess.hpp"
#include "fit/board.hpp"
#include "measure/measure.hpp"
#include "report/report.hpp"

namespace mote::cli {

// A model on the command line, and the shapes that its file leaves open.
struct ModelFile {
  std::string path;
  std::vector<std::string> shapes;  // "NAME=1,3,96,96"
};

void add_model_file(CLI::App& command, ModelFile& model);
[[nodiscard]] Compiled compile(const ModelFile& model, const PlanOptions& plan = {});

struct ModelFlags {
  ModelFile model;
  std::string target = "host";
  std::string board;                  // whose memories to use; empty: one arena, in any memory
  std::vector<std::string> memories;  // the same, "NAME=BYTES", the fastest first
  CLI::Option* target_option = nullptr;
  std::string mode = "balanced";
  bool json = false;
};

void add_model_flags(CLI::App& command, ModelFlags& flags);

// The target that is named, or else the board's.
[[nodiscard]] const Target& target_of(const ModelFlags& flags);

struct Loaded {
  Compiled compiled;
  const Target* target;
  Mode mode;
  std::string file_name;  // without folders
  std::optional<Board> board;
  Assessment layout;          // in the board's memories, where one is given
  std::optional<Plan> whole;  // the plan with one arena, where the model was laid out for given memories
};

// Reads, imports, optimises and plans the model, for the memories or the `ram_bytes` that are asked for. Errors
// name the file. `stack_bytes`: what stands beside the arena on a board, exact; absent: estimated.
[[nodiscard]] Loaded load(const ModelFlags& flags, std::optional<int64_t> ram_bytes = {},
                          std::optional<int64_t> stack_bytes = {});

// The raw bytes of the model's inputs from files: .npy, or raw .bin in the input's dtype. Throws Error on a wrong
// number of files, dtype or size.
[[nodiscard]] std::vector<Bytes> read_inputs(const std::vector<std::string>& files, const Graph& graph);

[[nodiscard]] std::string thousands(int64_t value);            // "1,076,384"
[[nodiscard]] std::string bar(double fraction, size_t width);  // a bar of block characters
// Says on a terminal what takes time, and takes the line back when done; a pipe sees nothing.
class Progress {
 public:
  explicit Progress(const std::string& text);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
};

// "building for rv32imac and running it in qemu-system-riscv32"
[[nodiscard]] std::string activity(const Target& target, bool runs);

// Writes the files with a report.json that lists them all; returns that report.
nlohmann::ordered_json write_with_report(const std::string& directory, OutputFiles files,
                                         nlohmann::ordered_json report);

// What the importer decided and the user should know, a line each; where the arenas belong, if anywhere.
void print_notes(const Compiled& compiled);

// What stands beside the arena: the stack, and RAM of the library.
[[nodiscard]] int64_t stack_beside(const Sizes& sizes);

// Is the exact stack no larger than the room that the board's layout left for it?
[[nodiscard]] bool board_holds_stack(const Loaded& loaded, const Sizes& sizes);

// Throws Error when arena, stack and what the board reserves exceed the memory where the stack lives, or weights
// and code its flash.
void check_board(const Loaded& loaded, const Sizes& sizes);

// A number above 0.
[[nodiscard]] CLI::Validator positive();

void print_json(const nlohmann::ordered_json& json);

}  // namespace mote::cli
