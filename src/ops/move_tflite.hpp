// SPDX-License-Identifier: Apache-2.0
// Moves of elements as operators of a .tflite file.
#pragma once

#include "formats/tflite_writer.hpp"
#include "ops/move.hpp"

namespace mote::op {

// Writes the move of a tensor of type `in` as RESHAPE, STRIDED_SLICE, TRANSPOSE, TILE and RESHAPE, whichever it
// takes. Throws Error where an input dimension is counted in a way that these cannot express.
void write_move(tflite::NodeWriter& file, const IndexMap& map, const TensorType& in);

}  // namespace mote::op
