// SPDX-License-Identifier: Apache-2.0
// A graph as a .tflite file.
#pragma once

#include "ir/graph.hpp"

namespace mote {

// The bytes of a file that computes what the graph computes. Throws Error that lists every node that cannot be
// written.
[[nodiscard]] Bytes to_tflite(const Graph& graph);

// Was the file written by to_tflite()?
[[nodiscard]] bool written_by_mote(ByteSpan file);

}  // namespace mote
