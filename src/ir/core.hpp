// SPDX-License-Identifier: Apache-2.0
// What a core offers beyond plain 32-bit integers, as far as lowering chooses kernels and packs data by it.
#pragma once

#include <compare>

namespace mote {

// All false: the portable kernels, which run everywhere. A kernel made for an extension computes the same bytes on
// a core (or a host) without it, only slower.
struct Core {
  bool dsp = false;  // Arm's DSP extension (Armv7E-M, Armv8-M): two 16-bit products in one instruction
  bool mve = false;  // Arm's M-profile vector extension (Armv8.1-M)
  // Bytes are loaded without their signs only (Xtensa): to give one its sign takes two instructions.
  bool unsigned_bytes = false;
  bool floats = false;  // instructions for single-precision floats
  // Few bytes count for more than speed: weights of 4 or 2 bits stay that small where an extension would multiply
  // bytes faster.
  bool compact = false;

  auto operator<=>(const Core&) const = default;
};

}  // namespace mote
