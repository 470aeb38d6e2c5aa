// SPDX-License-Identifier: Apache-2.0
#include "report/details.hpp"

#include <algorithm>

#include "report/arena.hpp"
#include "report/report.hpp"

namespace mote {

namespace {

using Json = nlohmann::ordered_json;

Json quantisation_json(const Quantization& quant) {
  if (quant.empty()) return nullptr;
  if (quant.scale.size() == 1) return {{"scale", quant.scale[0]}, {"zero_point", quant.zero.at(0)}};
  const auto [least, largest] = std::minmax_element(quant.scale.begin(), quant.scale.end());
  return {{"channels", quant.scale.size()}, {"least_scale", *least}, {"largest_scale", *largest}};
}

Json tensors_json(const std::vector<const Tensor*>& tensors) {
  Json list = Json::array();
  for (const Tensor* const tensor : tensors) {
    list.push_back({{"name", tensor->name},
                    {"dtype", name(tensor->type.dtype)},
                    {"shape", tensor->type.shape},
                    {"bytes", byte_size(tensor->type)},
                    {"quantisation", quantisation_json(tensor->type.quant)}});
  }
  return list;
}

std::vector<const Tensor*> tensors_of(const Graph& graph, const std::vector<TensorId>& ids) {
  std::vector<const Tensor*> tensors;
  for (const TensorId id : ids) tensors.push_back(&graph.tensors[id]);
  return tensors;
}

// The layer's inputs that are constant, or those that are not.
std::vector<const Tensor*> select_inputs(const Graph& graph, const Node& node, bool constant) {
  std::vector<const Tensor*> tensors = inputs_of(graph, node);
  std::erase_if(tensors, [&](const Tensor* tensor) { return !tensor || tensor->constant() != constant; });
  return tensors;
}

Json layer_json(const Graph& graph, const Step& step, const FlashData& flash, const Json& reported) {
  const Node& node = graph.nodes[step.node];
  return {{"name", reported.at("name")},
          {"op", reported.at("op")},
          {"parameters", node.op->parameters()},
          {"kernel", step.call.kernel},
          {"macs", reported.at("macs")},
          {"instructions", reported.at("instructions")},
          {"weight_bytes", flash.weight_bytes},
          {"table_bytes", flash.table_bytes},
          {"code_bytes", reported.at("code_bytes")},
          {"shared_kernel", reported.at("shared_kernel")},
          {"stack_bytes", reported.at("stack_bytes")},
          {"inputs", tensors_json(select_inputs(graph, node, false))},
          {"constants", tensors_json(select_inputs(graph, node, true))},
          {"outputs", tensors_json(tensors_of(graph, node.out))}};
}

Json stack_json(const Measurement& measured, std::optional<int64_t> size_bytes) {
  if (!measured.sizes || !measured.stack_peak_bytes) return nullptr;
  constexpr int64_t unit = 256;
  const int64_t needed = measured.sizes->stack_bound_bytes + stack_guard_bytes;
  const int64_t size = size_bytes.value_or((needed + unit - 1) / unit * unit);
  return {{"peak_bytes", *measured.stack_peak_bytes},
          {"bound_bytes", measured.sizes->stack_bound_bytes},
          {"guard_bytes", stack_guard_bytes},
          {"size_bytes", size},
          {"free_bytes", size - needed}};
}

// What the linker kept besides the layers' own functions and tables: shared kernels, NAME_run, library members.
Json common_code_json(const Sizes& sizes, int64_t table_bytes) {
  int64_t bytes = sizes.code_bytes - table_bytes;
  for (const int64_t step : sizes.step_code_bytes) bytes -= step;
  return std::max<int64_t>(bytes, 0);
}

// nlohmann's dump() refuses names that are no UTF-8, and a model file may hold any bytes.
Json valid_utf8(const Json& json) {
  return Json::parse(json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace

Json tensors_json(const Graph& graph, const std::vector<TensorId>& ids) {
  return valid_utf8(tensors_json(tensors_of(graph, ids)));
}

Json detailed_report(const Compiled& compiled, const std::string& model, const Target& target, Mode mode,
                     const Measurement* given, std::optional<int64_t> stack_size_bytes) {
  const Graph& graph = compiled.graph;
  const std::vector<FlashData> flash = flash_data_by_step(compiled.plan);
  const int64_t table_bytes = flash_data(compiled.plan).table_bytes;
  const Measurement measured = given == nullptr ? Measurement() : *given;
  Json json = report(compiled, model, target, mode, &measured);
  json["version"] = MOTE_VERSION;
  json["target_note"] = target.note;
  json["table_bytes"] = table_bytes;
  json["common_code_bytes"] = measured.sizes ? common_code_json(*measured.sizes, table_bytes) : Json(nullptr);
  for (size_t i = 0; i < compiled.plan.steps.size(); ++i)
    json["layers"][i] = layer_json(graph, compiled.plan.steps[i], flash[i], json["layers"][i]);
  json["inputs"] = tensors_json(graph, graph.inputs);
  json["outputs"] = tensors_json(graph, graph.outputs);
  json["arena"] = arena_json(compiled.plan);
  json["stack"] = stack_json(measured, stack_size_bytes);
  return valid_utf8(json);
}

}  // namespace mote
