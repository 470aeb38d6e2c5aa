// SPDX-License-Identifier: Apache-2.0
#include "report/report.hpp"

#include <algorithm>

#include "report/summary.hpp"

namespace mote {

namespace {

using Json = nlohmann::ordered_json;

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json element_or_null(const std::vector<int64_t>& values, size_t index) {
  return index < values.size() ? Json(values[index]) : Json(nullptr);
}

// What a step has for itself; null: not measured, or its code is shared.
Json own_code_json(const Sizes& sizes, size_t step) {
  const int64_t bytes = step < sizes.step_code_bytes.size() ? sizes.step_code_bytes[step] : 0;
  return bytes == 0 ? Json(nullptr) : Json(bytes);
}

Json shared_kernel_json(const Sizes& sizes, size_t step) {
  for (const SharedCode& code : sizes.shared_code) {
    if (code.is_kernel && std::find(code.steps.begin(), code.steps.end(), step) != code.steps.end())
      return code.name;
  }
  return nullptr;
}

Json shared_code_json(const Sizes& sizes) {
  Json list = Json::array();
  for (const SharedCode& code : sizes.shared_code)
    list.push_back({{"name", code.name}, {"code_bytes", code.code_bytes}, {"layers", code.steps}});
  return list;
}

// What is left: NAME_run, the table of layers and its loop, constants.
int64_t other_code_bytes(const Sizes& sizes) {
  int64_t bytes = sizes.code_bytes;
  for (const int64_t own : sizes.step_code_bytes) bytes -= own;
  for (const SharedCode& code : sizes.shared_code) bytes -= code.code_bytes;
  return bytes;
}

Json layers_json(const Compiled& compiled, const Measurement& measured) {
  Json layers = Json::array();
  for (size_t i = 0; i < compiled.plan.steps.size(); ++i) {
    const Node& node = compiled.graph.nodes[compiled.plan.steps[i].node];
    layers.push_back(
        {{"name", node.origin},
         {"op", node.op->name()},
         {"macs", macs_of(compiled.graph, node)},
         {"instructions", element_or_null(measured.step_instructions, i)},
         {"code_bytes", measured.sizes ? own_code_json(*measured.sizes, i) : Json(nullptr)},
         {"shared_kernel", measured.sizes ? shared_kernel_json(*measured.sizes, i) : Json(nullptr)},
         {"stack_bytes", measured.sizes ? element_or_null(measured.sizes->step_stack_bytes, i) : Json(nullptr)}});
  }
  return layers;
}

Json outputs_json(const Graph& graph) {
  Json outputs = Json::array();
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    const Tensor& tensor = graph.tensors[graph.outputs[i]];
    outputs.push_back({{"name", tensor.name},
                       {"dtype", name(tensor.type.dtype)},
                       {"shape", tensor.type.shape},
                       {"file", fmt::format("out{}.bin", i)}});
  }
  return outputs;
}

}  // namespace

Json report(const Compiled& compiled, const std::string& model, const Target& target, Mode mode,
            const Measurement* given) {
  static const Measurement nothing;
  const Measurement& measured = given == nullptr ? nothing : *given;
  const int64_t macs = total_macs(compiled.graph);
  const Json instructions = element_or_null(measured.instructions, 0);
  Json json;
  json["model"] = model;
  json["target"] = target.name;
  json["compiler"] = generator(target).empty() ? Json(nullptr) : Json(generator(target));
  json["mode"] = name(mode);
  json["macs"] = macs;
  json["instructions"] = instructions;
  json["instructions_per_mac"] =
      instructions.is_null() || macs == 0
          ? Json(nullptr)
          : Json(static_cast<double>(measured.instructions[0]) / static_cast<double>(macs));
  if (streams_input(compiled.plan)) json["stream_input"] = true;
  if (compiled.plan.cores > 1) {
    json["cores"] = compiled.plan.cores;
    json["core_instructions"] = measured.core_instructions;
  }
  json["arena_bytes"] = compiled.plan.arena_bytes;
  json["arena_lower_bound_bytes"] = compiled.plan.lower_bound_bytes;
  for (const Arena& arena : compiled.plan.arenas)
    json["arenas"].push_back({{"memory", arena.memory}, {"bytes", arena.bytes}});
  json["stack_peak_bytes"] = or_null(measured.stack_peak_bytes);
  json["stack_total_bytes"] = or_null(measured.stack_total_bytes);
  json["stack_bound_bytes"] = measured.sizes ? Json(measured.sizes->stack_bound_bytes) : Json(nullptr);
  json["code_bytes"] = measured.sizes ? Json(measured.sizes->code_bytes) : Json(nullptr);
  json["weight_bytes"] = measured.sizes ? measured.sizes->weight_bytes : flash_data(compiled.plan).weight_bytes;
  json["notes"] = compiled.graph.notes;
  const Json twice = twice_json(compiled.graph);
  if (!twice.empty()) json["computed_twice"] = twice;
  json["layers"] = layers_json(compiled, measured);
  json["shared_code"] = measured.sizes ? shared_code_json(*measured.sizes) : Json(nullptr);
  json["other_code_bytes"] = measured.sizes ? Json(other_code_bytes(*measured.sizes)) : Json(nullptr);
  json["outputs"] = outputs_json(compiled.graph);
  return json;
}

Json head_json(const TrainableHead& head) {
  const HeadSizes sizes = head_sizes(head);
  Json json{{"layer", layers_of(head)}, {"inputs", head.inputs}};
  if (head.hidden) json["hidden"] = head.hidden->outputs;
  json.update({{"outputs", head.outputs},
               {"ram_bytes", sizes.ram()},
               {"parameter_bytes", sizes.parameters},
               {"momentum_bytes", sizes.momentum},
               {"scratch_bytes", sizes.scratch},
               {"record_bytes", sizes.record},
               {"flash_bytes", sizes.flash}});
  return json;
}

Json write_with_report(const std::string& directory, OutputFiles files, Json report) {
  files["report.json"] = "";
  for (const auto& [path, content] : files) report["files"].push_back(path);
  files["report.json"] = report.dump(2) + "\n";
  write_output_directory(directory, files);
  return report;
}

}  // namespace mote
