// SPDX-License-Identifier: Apache-2.0
// Reshape, squeeze, expand: everything the compiler knows about them. The bytes stay where they are.
#include "ops/registry.hpp"

namespace mote::op {

extern const OpDef reshape{.name = "reshape", .tflite = {}, .sample = nullptr};

}  // namespace mote::op
