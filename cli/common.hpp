// SPDX-License-Identifier: Apache-2.0
// Flags and steps that several commands share.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "base/output_directory.hpp"
#include "measure/measure.hpp"
#include "report/report.hpp"

namespace mote::cli {

// A model on the command line, and the shapes that its file leaves open.
struct ModelFile {
  std::string path;
  std::vector<std::string> shapes;  // "NAME=1,3,96,96"
};

void add_model_file(CLI::App& command, ModelFile& model);
[[nodiscard]] Compiled compile(const ModelFile& model, const Core& core = {});

struct ModelFlags {
  ModelFile model;
  std::string target = "host";
  std::string mode = "balanced";
  bool json = false;
};

void add_model_flags(CLI::App& command, ModelFlags& flags);

struct Loaded {
  Compiled compiled;
  const Target* target;
  Mode mode;
  std::string file_name;  // without folders
};

// Reads, imports, optimises and plans the model. Errors name the file.
[[nodiscard]] Loaded load(const ModelFlags& flags);

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

// What the importer decided and the user should know, a line each.
void print_notes(const Graph& graph);

void print_json(const nlohmann::ordered_json& json);

}  // namespace mote::cli
