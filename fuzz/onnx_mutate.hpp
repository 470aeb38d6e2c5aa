// SPDX-License-Identifier: Apache-2.0
// Changes of an .onnx model that keep it a message: most changed bytes only break the lengths around them.
#pragma once

#include <cstdint>

#include "onnx.pb.h"

namespace mote::fuzz {

// One to four changes to nodes, attributes, constants or interface; the same for the same seed.
void mutate(onnx::schema::Model& model, uint32_t seed);

}  // namespace mote::fuzz
