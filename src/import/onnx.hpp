// SPDX-License-Identifier: Apache-2.0
// An .onnx model becomes a Graph: channels last, quantised groups joined, batch normalisation folded.
#pragma once

#include <span>
#include <string_view>

#include "import/import.hpp"

namespace mote {

// `name` becomes the graph's name, made a C identifier. Throws one Error that lists everything in the model that
// Mote does not support, each by operator and name.
[[nodiscard]] Graph import_onnx(ByteSpan bytes, std::string_view name, const ImportOptions& options,
                                std::span<const OpDef* const> operators);
[[nodiscard]] Graph import_onnx(ByteSpan bytes, std::string_view name, const ImportOptions& options);

}  // namespace mote
