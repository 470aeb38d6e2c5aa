// SPDX-License-Identifier: Apache-2.0
#include "quantize/quantize_json.hpp"

#include <cmath>

namespace mote {

namespace {

// A number, or null where there is none.
nlohmann::ordered_json finite(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nullptr;
}

nlohmann::ordered_json json_of(const LayerFigures& layer) {
  nlohmann::ordered_json json{{"name", layer.name}, {"integer", layer.integer}};
  json["values"] = {layer.values.low, layer.values.high};
  if (layer.integer) {
    json["covered"] = {layer.covered.low, layer.covered.high};
    json["scale"] = layer.quant.scale[0];
    json["zero_point"] = layer.quant.zero[0];
  }
  json["saturation"] = layer.saturation;
  json["signal_to_noise_db"] = finite(layer.signal_to_noise_db);
  json["lost_db"] = layer.lost_db;
  json["worst"] = layer.worst;
  return json;
}

}  // namespace

nlohmann::ordered_json layers_json(const std::vector<LayerFigures>& layers) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const LayerFigures& layer : layers) json.push_back(json_of(layer));
  return json;
}

nlohmann::ordered_json accuracy_json(const Accuracy& accuracy) {
  const auto of = [&](const Answers& answers) {
    return nlohmann::ordered_json{{"percent", accuracy.percent(answers)},
                                  {"right", answers.right},
                                  {"ties", answers.ties},
                                  {"saturated", answers.saturated}};
  };
  return {{"samples", accuracy.samples},
          {"float", of(accuracy.real)},
          {"integer", of(accuracy.integer)},
          {"agree", accuracy.agree}};
}

}  // namespace mote
