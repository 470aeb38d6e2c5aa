// SPDX-License-Identifier: Apache-2.0
// Flags and steps that several commands share.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "base/output_directory.hpp"
#include "base/text.hpp"
#include "fit/build.hpp"
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
  std::string compiler = "g++";       // of the generated code
  std::string board;                  // whose memories to use; empty: one arena, in any memory
  std::vector<std::string> memories;  // the same, "NAME=BYTES", the fastest first
  CLI::Option* target_option = nullptr;
  std::string mode = "balanced";
  int cores = 1;
  bool stream_input = false;
  std::optional<int64_t> ram;  // bytes for the arena
  bool json = false;
};

// --cores and --stream-input
void add_cores(CLI::App& command, int& cores);
void add_stream_input(CLI::App& command, bool& stream_input);
void add_compiler(CLI::App& command, std::string& compiler);
// --ram, for commands that plan without linking
void add_arena_limit(CLI::App& command, std::optional<int64_t>& ram);
void add_model_flags(CLI::App& command, ModelFlags& flags);

// The target that is named, or else the board's.
[[nodiscard]] const Target& target_of(const ModelFlags& flags);

struct Loaded : LaidOut {
  std::string file_name;  // without folders
};

// What is asked of the layout: target, mode, board or memories.
[[nodiscard]] LayoutRequest layout_request(const ModelFlags& flags);

// Reads, imports, optimises and plans the model, for the memories that are asked for. Errors name the file. Throws
// Error when the arena does not keep `ram`.
[[nodiscard]] Loaded load(const ModelFlags& flags);

// The raw bytes of the model's inputs from files: .npy, or raw .bin in the input's dtype. Throws Error on a wrong
// number of files, dtype or size.
[[nodiscard]] std::vector<Bytes> read_inputs(const std::vector<std::string>& files, const Graph& graph);

// Says on a terminal what takes time, and takes the line back when done; a pipe sees nothing.
class Progress {
 public:
  explicit Progress(const std::string& text);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
};

// The share of a long transfer that is done, on a terminal; a pipe sees nothing.
class TransferProgress {
 public:
  explicit TransferProgress(std::string what);
  void show(int64_t done, int64_t of);
  void clear();

 private:
  std::string what_;
  int shown_ = -1;
};

// "building for rv32imac and running it in qemu-system-riscv32"
[[nodiscard]] std::string activity(const Target& target, bool runs);

// What the importer decided and the user should know, a line each; where the arenas belong, if anywhere.
void print_notes(const Compiled& compiled);

// A number above 0.
[[nodiscard]] CLI::Validator positive();

void print_json(const nlohmann::ordered_json& json);

}  // namespace mote::cli
