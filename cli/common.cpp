// SPDX-License-Identifier: Apache-2.0
#include "common.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/files.hpp"
#include "base/npy.hpp"
#include "report/summary.hpp"
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

void add_cores(CLI::App& command, int& cores) {
  command.add_option("--cores", cores, "2: split layers over two cores, by rows (docs/two_cores.md)")
      ->check(CLI::IsMember({1, 2}))
      ->capture_default_str();
}

void add_stream_input(CLI::App& command, bool& stream_input) {
  command.add_flag("--stream-input", stream_input,
                   "the application pushes the input's rows, which is never whole in RAM (docs/strips.md)");
}

void add_compiler(CLI::App& command, std::string& compiler) {
  command
      .add_option("--compiler", compiler,
                  "what compiles the generated code for an emulated core: g++, the target's own, or clang++")
      ->check(CLI::IsMember({"g++", "clang++"}))
      ->capture_default_str();
}

void add_arena_limit(CLI::App& command, std::optional<int64_t>& ram) {
  command
      .add_option("--ram", ram,
                  "fail when the arena needs more bytes than this; tensors exist by rows, and layers are computed "
                  "twice, where that keeps it (docs/strips.md)")
      ->check(positive());
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
  add_compiler(command, flags.compiler);
  add_cores(command, flags.cores);
  add_stream_input(command, flags.stream_input);
  command.add_flag("--json", flags.json, "print one JSON object instead of text");
}

const Target& target_of(const ModelFlags& flags) {
  const bool named = flags.target_option == nullptr || flags.target_option->count() > 0;
  const Target& target = find_target(named || flags.board.empty() ? flags.target : find_board(flags.board).target);
  return compiled_by(target, flags.compiler);
}

LayoutRequest layout_request(const ModelFlags& flags) {
  LayoutRequest request;
  if (!flags.board.empty()) request.board = find_board(flags.board);
  request.target = &target_of(flags);
  request.mode = parse_mode(flags.mode);
  request.cores = flags.cores;
  request.stream_input = flags.stream_input;
  for (const std::string& text : flags.memories) request.memories.push_back(parse_memory(text));
  return request;
}

Loaded load(const ModelFlags& flags) {
  const Planner plan = [&](const PlanOptions& options) { return compile(flags.model, options); };
  Loaded loaded{lay_out(plan, layout_request(flags), flags.ram),
                std::filesystem::path(flags.model.path).filename().string()};
  check_fits(loaded.compiled, {flags.ram, {}});
  return loaded;
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

Progress::Progress(const std::string& text) {
  if (isatty(STDERR_FILENO) == 0) return;
  std::fputs((text + " ...").c_str(), stderr);
  std::fflush(stderr);
}

Progress::~Progress() {
  if (isatty(STDERR_FILENO) != 0) std::fputs("\r\033[K", stderr);
}

TransferProgress::TransferProgress(std::string what) : what_(std::move(what)) {}

void TransferProgress::show(int64_t done, int64_t of) {
  const int percent = of == 0 ? 100 : static_cast<int>(100 * done / of);
  if (isatty(STDERR_FILENO) == 0 || percent == shown_) return;
  shown_ = percent;
  std::fputs(
      fmt::format("\r{} {} {} of {}", what_, bar(percent / 100.0, 30), thousands(done), thousands(of)).c_str(),
      stderr);
}

void TransferProgress::clear() {
  if (isatty(STDERR_FILENO) != 0) std::fputs("\r\033[K", stderr);
}

std::string activity(const Target& target, bool runs) {
  if (target.emulator.empty()) return runs ? "running in the simulator" : "planning";
  return fmt::format("building for {}{}{}", target.name,
                     target.model_compiler.empty() ? "" : fmt::format(" with {}", target.model_compiler),
                     runs ? fmt::format(" and running in {}", target.emulator) : "");
}

void print_notes(const Compiled& compiled) { fmt::print("{}", notes_text(compiled)); }

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
