// SPDX-License-Identifier: Apache-2.0
// What core.S keeps of interrupted code on RV32, in its order.
#pragma once

#include <stdint.h>

namespace agent {

struct Registers {
  uint32_t x[32];   // x[0] is the program counter
  uint32_t status;  // mstatus while the code runs
#ifdef __riscv_float_abi_single
  uint32_t f[32];
  uint32_t fcsr;
#endif
};

}  // namespace agent
