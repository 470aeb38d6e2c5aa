// SPDX-License-Identifier: Apache-2.0
// Cost tables as JSON.
#include "fit/costs.hpp"

#include <cmath>

#include "base/embedded.hpp"

namespace mote {

namespace {

using Json = nlohmann::ordered_json;

// Four significant digits: more than a fit can know, and a small file.
double rounded(double value) { return value == 0 ? 0 : std::stod(fmt::format("{:.4g}", value)); }

Json error_json(const CostError& error) {
  return {{"typical", rounded(error.typical)}, {"worst", rounded(error.worst)}};
}

CostError parse_error(const Json& json) {
  return {json.at("typical").get<double>(), json.at("worst").get<double>()};
}

Json kernel_json(const KernelCost& cost) {
  Json json;
  for (size_t i = 0; i < work_names.size(); ++i) {
    if (rounded(cost.instructions[i]) != 0) json[std::string(work_names[i])] = rounded(cost.instructions[i]);
  }
  json["code_bytes"] = rounded(cost.code_bytes);
  json["stack_bytes"] = rounded(cost.stack_bytes);
  if (!cost.libraries.empty()) json["libraries"] = cost.libraries;
  for (const LayerCode& layer : cost.layers) {
    Json entry = Json::array();
    for (const double extent : layer.shape) entry.push_back(rounded(extent));
    entry.push_back(rounded(layer.code_bytes));
    json["layers"].push_back(std::move(entry));
  }
  return json;
}

KernelCost parse_kernel(const Json& json) {
  KernelCost cost;
  for (size_t i = 0; i < work_names.size(); ++i) {
    cost.instructions[i] = json.value(std::string(work_names[i]), 0.0);
  }
  cost.code_bytes = json.at("code_bytes").get<double>();
  cost.stack_bytes = json.at("stack_bytes").get<double>();
  cost.libraries = json.value("libraries", std::set<std::string>());
  for (const Json& entry : json.value("layers", Json::array())) {
    LayerCode layer;
    for (size_t i = 0; i < layer.shape.size(); ++i) layer.shape[i] = entry.at(i).get<double>();
    layer.code_bytes = entry.at(layer.shape.size()).get<double>();
    cost.layers.push_back(layer);
  }
  return cost;
}

Json strips_json(const StripCost& cost) {
  Json json;
  for (size_t i = 0; i < strip_work_names.size(); ++i) {
    if (rounded(cost.instructions[i]) != 0) json[std::string(strip_work_names[i])] = rounded(cost.instructions[i]);
  }
  json["step_code_bytes"] = rounded(cost.step_code_bytes);
  json["stack_bytes"] = rounded(cost.stack_bytes);
  return json;
}

std::optional<StripCost> parse_strips(const Json& table, std::string_view key) {
  if (!table.contains(key)) return std::nullopt;
  const Json& json = table.at(key);
  StripCost cost;
  for (size_t i = 0; i < strip_work_names.size(); ++i)
    cost.instructions[i] = json.value(std::string(strip_work_names[i]), 0.0);
  cost.step_code_bytes = json.at("step_code_bytes").get<double>();
  cost.stack_bytes = json.at("stack_bytes").get<double>();
  return cost;
}

CostTable from_json(const Json& json) {
  CostTable table;
  table.target = json.at("target").get<std::string>();
  table.run_bytes = json.at("run_bytes").get<double>();
  table.run_step_bytes = json.at("run_step_bytes").get<double>();
  table.speed_strips = parse_strips(json, "speed_strips");
  table.size_strips = parse_strips(json, "size_strips");
  table.library_bytes = json.at("library_bytes").get<std::map<std::string, double>>();
  for (const auto& [mode, error] : json.at("errors").items()) {
    table.errors[mode] = {parse_error(error.at("instructions")), parse_error(error.at("code")),
                          parse_error(error.at("stack")), error.at("models").get<int64_t>()};
  }
  for (size_t i = 0; i < variant_names.size(); ++i) {
    const Json& variant = json.at("variants").at(std::string(variant_names[i]));
    table.call_bytes[i] = variant.at("call_bytes").get<double>();
    for (const auto& [kernel, cost] : variant.at("kernels").items()) table.kernels[i][kernel] = parse_kernel(cost);
  }
  return table;
}

}  // namespace

Json costs_json(const CostTable& table) {
  Json json;
  json["target"] = table.target;
  json["errors"] = Json::object();
  for (const auto& [mode, error] : table.errors) {
    json["errors"][mode] = {{"instructions", error_json(error.instructions)},
                            {"code", error_json(error.code)},
                            {"stack", error_json(error.stack)},
                            {"models", error.models}};
  }
  json["run_bytes"] = rounded(table.run_bytes);
  json["run_step_bytes"] = rounded(table.run_step_bytes);
  if (table.speed_strips) json["speed_strips"] = strips_json(*table.speed_strips);
  if (table.size_strips) json["size_strips"] = strips_json(*table.size_strips);
  json["library_bytes"] = table.library_bytes;
  for (size_t i = 0; i < variant_names.size(); ++i) {
    Json& variant = json["variants"][std::string(variant_names[i])];
    variant["call_bytes"] = rounded(table.call_bytes[i]);
    variant["kernels"] = Json::object();
    for (const auto& [kernel, cost] : table.kernels[i]) variant["kernels"][kernel] = kernel_json(cost);
  }
  return json;
}

CostTable parse_costs(std::string_view text, std::string_view file) {
  try {
    return from_json(Json::parse(text));
  } catch (const nlohmann::json::exception& problem) {
    fail("{}: {}; `mote_costs` writes it anew", file, problem.what());
  }
}

namespace {

std::string_view table_text(std::string_view target) {
  const std::string path = fmt::format("costs/{}.json", target);
  for (const EmbeddedFile& file : embedded_files()) {
    if (file.path == path) return file.text;
  }
  fail("there is no cost table for {}; `mote_costs --target {}` measures one", target, target);
}

}  // namespace

CostTable costs_of(const Target& target) {
  const std::string_view text = table_text(target.name);
  const Json json = Json::parse(text, nullptr, false);
  const std::string path = fmt::format("costs/{}.json", target.name);
  if (json.is_discarded() || !json.contains("measured_on")) return parse_costs(text, path);
  require(json["measured_on"].is_string(), "{}: measured_on is no target's name", path);
  const auto relative = json["measured_on"].get<std::string>();
  CostTable table = parse_costs(table_text(relative), fmt::format("costs/{}.json", relative));
  table.target = target.name;
  table.measured_on = relative;
  return table;
}

}  // namespace mote
