// SPDX-License-Identifier: Apache-2.0
// The report of a quantised model as JSON.
#pragma once

#include <nlohmann/json.hpp>

#include "quantize/compare.hpp"

namespace mote {

[[nodiscard]] nlohmann::ordered_json layers_json(const std::vector<LayerFigures>& layers);
[[nodiscard]] nlohmann::ordered_json accuracy_json(const Accuracy& accuracy);

}  // namespace mote
