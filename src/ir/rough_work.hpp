// SPDX-License-Identifier: Apache-2.0
// A rough count of a layer's instructions, the same for all kernels and cores: what layers of a model are weighed
// by.
#pragma once

#include <cstdint>

namespace mote {

// Of `inputs` and `outputs` elements in the arena.
[[nodiscard]] constexpr double rough_count(int64_t macs, int64_t inputs, int64_t outputs) {
  return 3.0 * static_cast<double>(macs) + 4.0 * static_cast<double>(inputs) + 8.0 * static_cast<double>(outputs);
}

}  // namespace mote
