// SPDX-License-Identifier: Apache-2.0
// A .tflite model becomes a Graph.
#pragma once

#include <span>
#include <string_view>

#include "ir/graph.hpp"

namespace mote {

// `name` becomes the graph's name, made a C identifier. Throws one Error that lists everything in the model that
// Mote does not support, each by operator and name. `operators` are those to choose from.
[[nodiscard]] Graph import_tflite(ByteSpan bytes, std::string_view name, std::span<const OpDef* const> operators);
[[nodiscard]] Graph import_tflite(ByteSpan bytes, std::string_view name);  // with all that were built in

}  // namespace mote
