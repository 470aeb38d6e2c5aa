// SPDX-License-Identifier: Apache-2.0
// The registers of the pretended core (pretended_core.cpp).
#pragma once

#include <stdint.h>

namespace agent {

struct Registers {
  uint32_t pc, argument, result, stack_pointer;
};

}  // namespace agent
