// SPDX-License-Identifier: Apache-2.0
// mote run: one inference on a target, with its outputs and its costs.
#include <algorithm>
#include <numeric>

#include "commands.hpp"
#include "common.hpp"
#include "verify/golden.hpp"

namespace mote::cli {

namespace {

struct Flags {
  ModelFlags model;
  std::vector<std::string> inputs;
  std::string output;
  bool profile = false;
};

constexpr size_t shown_values = 12;

std::string value_text(const TensorType& type, ByteSpan bytes, size_t index) {
  switch (type.dtype) {
    case DType::i8: return std::to_string(to_values<int8_t>(bytes)[index]);
    case DType::i16: return std::to_string(to_values<int16_t>(bytes)[index]);
    case DType::u16: return std::to_string(to_values<uint16_t>(bytes)[index]);
    case DType::i32: return std::to_string(to_values<int32_t>(bytes)[index]);
    case DType::u32: return std::to_string(to_values<uint32_t>(bytes)[index]);
    case DType::i64: return std::to_string(to_values<int64_t>(bytes)[index]);
    case DType::u64: return std::to_string(to_values<uint64_t>(bytes)[index]);
    case DType::f32: return fmt::format("{:g}", to_values<float>(bytes)[index]);
    case DType::u8:
    case DType::boolean:
    case DType::i4:
    case DType::i2: return std::to_string(std::to_integer<int>(bytes[index]));
  }
  fail("unknown data type {}", static_cast<int>(type.dtype));
}

void print_outputs(const Graph& graph, const std::vector<Bytes>& outputs) {
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Tensor& tensor = graph.tensors[graph.outputs[i]];
    const auto count = static_cast<size_t>(elements(tensor.type.shape));
    std::string text;
    for (size_t e = 0; e < std::min(count, shown_values); ++e)
      text += " " + value_text(tensor.type, outputs[i], e);
    fmt::print("output {} '{}' {} {}:{}{}\n", i, tensor.name, name(tensor.type.dtype), to_text(tensor.type.shape),
               text, count > shown_values ? " ..." : "");
  }
}

void print_costs(const nlohmann::ordered_json& json, const Measurement& measured) {
  fmt::print("arena    {} B (lower bound {} B)\n", thousands(json["arena_bytes"]),
             thousands(json["arena_lower_bound_bytes"]));
  if (measured.stack_peak_bytes) {
    fmt::print("stack    {} B used, at most {} B by analysis\n", thousands(*measured.stack_peak_bytes),
               thousands(measured.sizes->stack_bound_bytes));
  }
  if (measured.sizes) {
    fmt::print("flash    {} B code + {} B weights\n", thousands(measured.sizes->code_bytes),
               thousands(measured.sizes->weight_bytes));
  }
  if (!measured.instructions.empty()) {
    const double per_mac = json["instructions_per_mac"].is_null() ? 0 : json["instructions_per_mac"].get<double>();
    fmt::print("speed    {} instructions, {} MAC, {:.2f} instructions per MAC\n",
               thousands(measured.instructions[0]), thousands(json["macs"]), per_mac);
  }
}

// `alone`: the same model on one core.
void print_cores(const Measurement& measured, const Measurement& alone) {
  if (measured.core_instructions.empty()) return;
  const int64_t one = alone.instructions.at(0);
  const auto ratio = [&](int64_t instructions) {
    return static_cast<double>(instructions) / static_cast<double>(one);
  };
  fmt::print("cores    one core {} instructions", thousands(one));
  for (size_t core = 0; core < measured.core_instructions.size(); ++core) {
    const int64_t instructions = measured.core_instructions[core];
    fmt::print("; core {} {} ({:.3f})", core, thousands(instructions), ratio(instructions));
  }
  fmt::print("; from start to end {:.3f}\n", ratio(measured.instructions.at(0)));
}

// What each core takes of a layer.
void print_core_profile(const nlohmann::ordered_json& json, const Measurement& measured) {
  fmt::print("\n{:>12} {:>12}  layer\n", "core 0", "core 1");
  for (size_t i = 0; i < json["layers"].size(); ++i) {
    const int64_t second = measured.core_step_instructions[1][i];
    fmt::print("{:>12} {:>12}  {}\n", thousands(measured.core_step_instructions[0][i]),
               second > 0 ? thousands(second) : "", json["layers"][i]["name"].get<std::string>());
  }
}

std::string layer_code(const nlohmann::ordered_json& layer) {
  if (layer["code_bytes"].is_number()) return thousands(layer["code_bytes"]);
  return layer["shared_kernel"].is_string() ? "shared" : "";
}

// "CONV_2D #2, #4, ADD #5"
std::string layer_list(const nlohmann::ordered_json& json, const nlohmann::ordered_json& indices) {
  std::string text, last;
  for (const auto& index : indices) {
    const std::string name = json["layers"][index.get<size_t>()]["name"], layer = name.substr(0, name.find(" ("));
    const std::string op = layer.substr(0, layer.find('#'));
    text += (text.empty() ? "" : ", ") + (op == last ? layer.substr(op.size()) : layer);
    last = op;
  }
  return text;
}

// All code, once: the column of the table above, what layers have in common and call, the rest.
void print_code(const nlohmann::ordered_json& json) {
  if (json["shared_code"].empty()) return;
  int64_t own = 0;
  for (const auto& layer : json["layers"])
    own += layer["code_bytes"].is_number() ? layer["code_bytes"].get<int64_t>() : 0;
  fmt::print("\n{:>12}\n{:>12}  of single layers, as above\n", "code B", thousands(own));
  for (const auto& code : json["shared_code"]) {
    fmt::print("{:>12}  {}: {}\n", thousands(code["code_bytes"]), code["name"].get<std::string>(),
               layer_list(json, code["layers"]));
  }
  fmt::print("{:>12}  what runs them, tables\n{:>12}  in all\n", thousands(json["other_code_bytes"]),
             thousands(json["code_bytes"]));
}

void print_profile(const nlohmann::ordered_json& json, const Measurement& measured) {
  if (measured.step_instructions.empty()) return;
  const auto total = static_cast<double>(
      std::accumulate(measured.step_instructions.begin(), measured.step_instructions.end(), int64_t{0}));
  fmt::print("\n{:>12} {:>12} {:>8} {:>7} {:>7}  {:20} layer\n", "instructions", "MAC", "per MAC", "code B",
             "stack B", "share");
  for (const auto& layer : json["layers"]) {
    const auto instructions = layer["instructions"].get<int64_t>();
    const auto macs = layer["macs"].get<int64_t>();
    fmt::print(
        "{:>12} {:>12} {:>8} {:>7} {:>7}  {} {}\n", thousands(instructions), macs > 0 ? thousands(macs) : "",
        macs > 0 ? fmt::format("{:.2f}", static_cast<double>(instructions) / static_cast<double>(macs)) : "",
        layer_code(layer), thousands(layer["stack_bytes"]),
        bar(static_cast<double>(instructions) / std::max(total, 1.0), 20), layer["name"].get<std::string>());
  }
  print_code(json);
}

void write_outputs(const std::string& directory, nlohmann::ordered_json json, const std::vector<Bytes>& outputs) {
  OutputFiles files;
  for (size_t i = 0; i < outputs.size(); ++i) {
    files[fmt::format("out{}.bin", i)] =
        std::string(reinterpret_cast<const char*>(outputs[i].data()), outputs[i].size());
  }
  write_with_report(directory, std::move(files), std::move(json));
}

Measurement measure_alone(const Flags& flags, const std::vector<Bytes>& inputs) {
  ModelFlags one = flags.model;
  one.cores = 1;
  const Loaded loaded = load(one);
  return measure(loaded.compiled, *loaded.target, loaded.mode, {inputs}, false);
}

void run(const Flags& flags) {
  const Loaded loaded = load(flags.model);
  const Graph& graph = loaded.compiled.graph;
  std::mt19937 random(1);
  const std::vector<Bytes> inputs =
      flags.inputs.empty() ? random_case(graph, random, "random").inputs : read_inputs(flags.inputs, graph);
  const bool emulated = !loaded.target->emulator.empty();
  require(flags.model.cores == 1 || !emulated || !loaded.target->two_cores_arguments.empty(),
          "--cores 2: the emulated machine of {} has one core; --target rv32imac has two", loaded.target->name);
  Measurement alone;
  const Measurement measured = [&] {
    const Progress progress(activity(*loaded.target, true));
    if (flags.model.cores > 1 && emulated) alone = measure_alone(flags, inputs);
    return measure(loaded.compiled, *loaded.target, loaded.mode, {inputs}, flags.profile);
  }();
  require(alone.outputs.empty() || alone.outputs == measured.outputs,
          "two cores compute something else than one; please report this");
  nlohmann::ordered_json json = report(loaded.compiled, loaded.file_name, *loaded.target, loaded.mode, &measured);
  if (!alone.instructions.empty()) json["one_core_instructions"] = alone.instructions[0];
  if (!flags.output.empty()) write_outputs(flags.output, json, measured.outputs[0]);
  if (flags.model.json) return print_json(json);
  if (flags.inputs.empty()) fmt::print("no --input given: random values, seed 1\n");
  print_notes(loaded.compiled);
  print_outputs(graph, measured.outputs[0]);
  print_costs(json, measured);
  print_cores(measured, alone);
  print_profile(json, measured);
  if (!measured.core_step_instructions.empty()) print_core_profile(json, measured);
  if (!loaded.target->note.empty()) fmt::print("note     {}\n", loaded.target->note);
}

}  // namespace

void add_run(CLI::App& app) {
  auto* const command =
      app.add_subcommand("run", "run a model once: in the simulator (host) or in an emulated core");
  const auto flags = std::make_shared<Flags>();
  add_model_flags(*command, flags->model);
  add_arena_limit(*command, flags->model.ram);
  command->add_option("--input", flags->inputs, "one file for each input, .npy or raw .bin in the input's dtype");
  command->add_option("--output", flags->output, "folder for out0.bin, ... and report.json");
  command->add_flag("--profile", flags->profile, "instructions, code and stack of every layer");
  command->callback([flags] { run(*flags); });
}

}  // namespace mote::cli
