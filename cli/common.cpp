// SPDX-License-Identifier: Apache-2.0
#include "common.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/files.hpp"
#include "base/npy.hpp"
#include "fit/fit.hpp"
#include "fit/memories.hpp"
#include "target/find.hpp"

namespace mote::cli {

void add_model_file(CLI::App& command, ModelFile& model) {
  command.add_option("model", model.path, "the model file (.tflite, .onnx)")->required();
  command
      .add_option("--shape", model.shapes,
                  "shape of an input that an .onnx file leaves open, in the file's order: NAME=1,3,96,96")
      ->allow_extra_args(false);
}

Compiled compile(const ModelFile& model, const PlanOptions& plan) {
  std::map<std::string, Shape> shapes;
  for (const std::string& text : model.shapes) shapes.insert(parse_shape(text));
  return compile_file(model.path, shapes, plan);
}

void add_model_flags(CLI::App& command, ModelFlags& flags) {
  add_model_file(command, flags.model);
  flags.target_option =
      command.add_option("--target", flags.target, "where it shall run; `mote targets` lists them")
          ->capture_default_str();
  CLI::Option* const board = command.add_option(
      "--board", flags.board,
      "lay it out for this board's memories and core; a name of `mote boards`, or a .json file");
  command
      .add_option("--memory", flags.memories,
                  "lay it out for these memories instead, the fastest first: sram=200000 psram=8M")
      ->excludes(board)
      ->allow_extra_args(false);
  command.add_option("--optimize", flags.mode, "size, balanced or speed")->capture_default_str();
  command.add_flag("--json", flags.json, "print one JSON object instead of text");
}

const Target& target_of(const ModelFlags& flags) {
  const bool named = flags.target_option == nullptr || flags.target_option->count() > 0;
  return find_target(named || flags.board.empty() ? flags.target : find_board(flags.board).target);
}

Loaded load(const ModelFlags& flags, std::optional<int64_t> ram_bytes, std::optional<int64_t> stack_bytes) {
  Loaded loaded;
  if (!flags.board.empty()) loaded.board = find_board(flags.board);
  loaded.target = &target_of(flags);
  loaded.mode = parse_mode(flags.mode);
  std::vector<MemoryRegion> memories;
  for (const std::string& text : flags.memories) memories.push_back(parse_memory(text));
  // What is spread over several memories is whole; a board's layout chooses for itself.
  const bool spread = loaded.board || !memories.empty();
  loaded.compiled = compile(flags.model, spread ? PlanOptions(loaded.target->core)
                                                : plan_options(loaded.mode, loaded.target->core, ram_bytes));
  loaded.file_name = std::filesystem::path(flags.model.path).filename().string();
  if (loaded.board || !memories.empty()) loaded.whole = loaded.compiled.plan;
  if (loaded.board) {
    loaded.layout = use_board(loaded.compiled, *loaded.board, loaded.target->core, loaded.mode, stack_bytes);
  } else if (!memories.empty()) {
    use_memories(loaded.compiled, memories);
  }
  return loaded;
}

namespace {

// The memory in which stack and reserve live, where the exact stack does not find room beside the arena.
const RamUse* overfull_memory(const Loaded& loaded, const Sizes& sizes) {
  for (const RamUse& use : loaded.layout.ram) {
    if (use.reserved_bytes + use.stack_bytes == 0) continue;
    if (use.arena_bytes + stack_beside(sizes) + use.reserved_bytes > use.capacity_bytes) return &use;
  }
  return nullptr;
}

}  // namespace

int64_t stack_beside(const Sizes& sizes) { return sizes.stack_bound_bytes + sizes.library_ram_bytes; }

bool board_holds_stack(const Loaded& loaded, const Sizes& sizes) {
  return !loaded.board || overfull_memory(loaded, sizes) == nullptr;
}

void check_board(const Loaded& loaded, const Sizes& sizes) {
  if (!loaded.board) return;
  if (const RamUse* const use = overfull_memory(loaded, sizes)) {
    fail("{} does not fit {}\n{}: arena {} B + stack {} B + {} B for the rest of the application = {} B of {} B",
         loaded.compiled.graph.name, loaded.board->name, use->memory, use->arena_bytes, sizes.stack_bound_bytes,
         use->reserved_bytes, use->arena_bytes + stack_beside(sizes) + use->reserved_bytes, use->capacity_bytes);
  }
  const int64_t flash = sizes.weight_bytes + sizes.code_bytes + loaded.board->reserved_flash_bytes;
  require(
      flash <= loaded.layout.flash_capacity_bytes,
      "{} does not fit {}\nflash: weights {} B + code {} B + {} B for the rest of the application = {} B of {} B",
      loaded.compiled.graph.name, loaded.board->name, sizes.weight_bytes, sizes.code_bytes,
      loaded.board->reserved_flash_bytes, flash, loaded.layout.flash_capacity_bytes);
}

namespace {

DType npy_dtype(const std::string& descr, const std::string& file) {
  for (const auto& [text, dtype] : {std::pair{"i1", DType::i8},
                                    {"u1", DType::u8},
                                    {"i2", DType::i16},
                                    {"i4", DType::i32},
                                    {"i8", DType::i64},
                                    {"f4", DType::f32},
                                    {"b1", DType::boolean}}) {
    if (descr == text) return dtype;
  }
  fail("{}: its dtype '{}' is none that models take; convert it with .astype()", file, descr);
}

Shape without_ones(Shape shape) {
  shape.erase(std::remove(shape.begin(), shape.end(), 1), shape.end());
  return shape;
}

Bytes read_input(const std::string& file, const Tensor& tensor) {
  Bytes bytes = read_file(file);
  const std::string wanted = fmt::format("{} {}", name(tensor.type.dtype), to_text(tensor.type.shape));
  if (file.ends_with(".npy")) {
    NpyArray array = parse_npy(bytes, file);
    const DType dtype = npy_dtype(array.descr, file);
    require(dtype == tensor.type.dtype, "{}: holds {}, input '{}' needs {}", file, name(dtype), tensor.name,
            wanted);
    // Extents of 1 may be left out, or all of the shape; otherwise the order must be the input's (NHWC).
    const bool flat = array.shape.size() == 1 && array.shape[0] == elements(tensor.type.shape);
    require(flat || without_ones(array.shape) == without_ones(tensor.type.shape),
            "{}: has shape {}, input '{}' needs {}", file, to_text(array.shape), tensor.name, wanted);
    bytes = std::move(array.data);
  }
  require(static_cast<int64_t>(bytes.size()) == byte_size(tensor.type),
          "{}: holds {} bytes, input '{}' needs {} ({})", file, bytes.size(), tensor.name, byte_size(tensor.type),
          wanted);
  return bytes;
}

}  // namespace

std::vector<Bytes> read_inputs(const std::vector<std::string>& files, const Graph& graph) {
  require(files.size() == graph.inputs.size(), "the model has {} inputs, {} --input files given",
          graph.inputs.size(), files.size());
  std::vector<Bytes> inputs;
  for (size_t i = 0; i < files.size(); ++i) inputs.push_back(read_input(files[i], graph.tensors[graph.inputs[i]]));
  return inputs;
}

std::string thousands(int64_t value) {
  std::string digits = std::to_string(value);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > (value < 0 ? 1 : 0); at -= 3) {
    digits.insert(static_cast<size_t>(at), ",");
  }
  return digits;
}

std::string bar(double fraction, size_t width) {
  const auto filled = static_cast<size_t>(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(width) + 0.5);
  std::string text;
  for (size_t i = 0; i < width; ++i) text += i < filled ? "█" : "·";
  return text;
}

Progress::Progress(const std::string& text) {
  if (isatty(STDERR_FILENO) == 0) return;
  std::fputs((text + " ...").c_str(), stderr);
  std::fflush(stderr);
}

Progress::~Progress() {
  if (isatty(STDERR_FILENO) != 0) std::fputs("\r\033[K", stderr);
}

std::string activity(const Target& target, bool runs) {
  if (target.emulator.empty()) return runs ? "running in the simulator" : "planning";
  return fmt::format("building for {}{}", target.name,
                     runs ? fmt::format(" and running in {}", target.emulator) : "");
}

nlohmann::ordered_json write_with_report(const std::string& directory, OutputFiles files,
                                         nlohmann::ordered_json report) {
  files["report.json"] = "";
  for (const auto& [path, content] : files) report["files"].push_back(path);
  files["report.json"] = report.dump(2) + "\n";
  write_output_directory(directory, files);
  return report;
}

void print_notes(const Compiled& compiled) {
  for (const std::string& note : compiled.graph.notes) fmt::print("note    {}\n", note);
  for (size_t i = 0; i < compiled.plan.arenas.size(); ++i) {
    fmt::print("memory  {} of {} B in {}\n", arena_name(i), thousands(compiled.plan.arenas[i].bytes),
               compiled.plan.arenas[i].memory);
  }
}

CLI::Validator positive() {
  const auto check = [](const std::string& text) -> std::string {
    double number = 0;
    const bool valid = CLI::detail::lexical_cast(text, number) && number > 0;
    return valid ? "" : fmt::format("'{}' is no number above 0", text);
  };
  return {check, "POSITIVE", "positive"};
}

void print_json(const nlohmann::ordered_json& json) { fmt::print("{}\n", json.dump(2)); }

}  // namespace mote::cli
