// SPDX-License-Identifier: Apache-2.0
// The answer as JSON: everything that is known, and on what it rests.
#include <cmath>

#include "fit/fit.hpp"

namespace mote {

namespace {

using Json = nlohmann::ordered_json;

Json shares_json(const std::vector<Share>& shares) {
  Json json = Json::array();
  for (const Share& share : shares) json.push_back({{"name", share.what}, {"bytes", share.bytes}});
  return json;
}

Json error_json(const std::optional<ModeError>& error) {
  if (!error) return nullptr;
  const auto one = [](const CostError& e) { return Json{{"typical", e.typical}, {"worst", e.worst}}; };
  return {{"instructions", one(error->instructions)},
          {"code", one(error->code)},
          {"stack", one(error->stack)},
          {"models", error->models}};
}

Json ram_json(const Assessment& result, const std::vector<std::string>& names) {
  Json json = Json::array();
  for (const RamUse& use : result.ram) {
    Json entry = {{"memory", use.memory},
                  {"capacity_bytes", use.capacity_bytes},
                  {"used_bytes", use.used_bytes()},
                  {"headroom_bytes", use.capacity_bytes - use.used_bytes()},
                  {"arena_bytes", use.arena_bytes},
                  {"stack_bytes", use.stack_bytes},
                  {"reserved_bytes", use.reserved_bytes}};
    if (result.split && !names.empty()) {
      entry["buffers"] = Json::array();
      for (const size_t buffer : use.buffers) entry["buffers"].push_back(names.at(buffer));
    }
    json.push_back(std::move(entry));
  }
  return json;
}

Json assessment_json(const Assessment& result, const std::vector<std::string>& names) {
  return {{"verdict", name(result.verdict)},
          {"flash_bytes", result.flash_bytes},
          {"flash_capacity_bytes", result.flash_capacity_bytes},
          {"flash_headroom_bytes", result.flash_capacity_bytes - result.flash_bytes},
          {"flash_missing_bytes", result.flash_missing_bytes},
          {"ram_missing_bytes", result.ram_missing_bytes},
          {"arena_split", result.split},
          {"external_bytes_accessed", std::llround(result.external_bytes)},
          {"ram", ram_json(result, names)},
          {"milliseconds", result.milliseconds}};
}

Json board_fit_json(const ModelFit& model, const BoardFit& fit) {
  Json json = {{"board", fit.board.name},
               {"description", fit.board.description},
               {"target", fit.board.target},
               {"target_note", fit.board.target_note},
               {"answer", answer(model, fit)}};
  json.update(assessment_json(fit.now, fit.buffer_names));
  json["arena_bytes"] = fit.arena_bytes;
  json["weight_bytes"] = fit.weight_bytes;
  json["code_bytes"] = fit.code_bytes;
  json["stack_bytes"] = fit.stack_bytes;
  json["reserved_flash_bytes"] = fit.board.reserved_flash_bytes;
  json["instructions"] = std::llround(fit.instructions);
  json["exact"] = fit.exact;
  json["estimate_error"] = fit.exact ? Json(nullptr) : error_json(fit.error);
  json["estimate_measured_on"] = fit.exact || fit.measured_on.empty() ? Json(nullptr) : Json(fit.measured_on);
  json["kernels_without_measurements"] = fit.unknown;
  json["clock_hz"] = fit.board.clock_hz;
  json["cycles_per_instruction"] = fit.board.cycles_per_instruction;
  json["cycles_per_instruction_source"] = fit.board.sources.at("cycles_per_instruction");
  json["alternatives"] = Json::array();
  for (const Alternative& one : fit.alternatives) {
    Json entry = {{"what", one.what},
                  {"price", one.price},
                  {"arena_bytes", one.arena_bytes},
                  {"weight_bytes", one.weight_bytes},
                  {"code_bytes", one.code_bytes},
                  {"stack_bytes", one.stack_bytes},
                  {"instructions", std::llround(one.instructions)},
                  {"by_board", one.by_board}};
    entry.update(assessment_json(one.result, {}));
    json["alternatives"].push_back(std::move(entry));
  }
  return json;
}

}  // namespace

Json fit_json(const ModelFit& fit) {
  Json json = {{"model", fit.name},
               {"mode", name(fit.mode)},
               {"macs", fit.macs},
               {"arena_bytes", fit.arena_bytes},
               {"arena_lower_bound_bytes", fit.arena_lower_bound_bytes},
               {"weight_bytes", fit.weight_bytes},
               {"peak_layer", fit.peak_layer},
               {"peak_buffers", shares_json(fit.peak_buffers)},
               {"largest_weights", shares_json(fit.largest_weights)},
               {"float", fit.is_float}};
  if (fit.is_float) {
    json["predicted_int8"] =
        fit.int8_arena ? Json{{"arena_bytes", fit.int8_arena->bytes}, {"weight_bytes", fit.int8_weights->bytes}}
                       : Json{{"obstacle", fit.int8_obstacle}};
  }
  json["four_bit_weight_bytes"] = fit.four_bit_weight_bytes;
  json["ternary_weight_bytes"] = fit.ternary_weight_bytes;
  json["ram_bytes"] = fit.ram_bytes ? Json(*fit.ram_bytes) : Json(nullptr);
  json["boards"] = Json::array();
  for (const BoardFit& board : fit.boards) json["boards"].push_back(board_fit_json(fit, board));
  return json;
}

}  // namespace mote
