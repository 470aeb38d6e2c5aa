// SPDX-License-Identifier: Apache-2.0
// What core.S keeps of an activity between two slices, in its order; the hardware's frame lies on the activity's
// stack.
#pragma once

#include <stdint.h>

namespace agent {

struct Registers {
  uint32_t stop;              // why it stopped, or that it goes on
  uint32_t stack_pointer;     // PSP
  uint32_t control;           // 1: unprivileged
  uint32_t exception_return;  // 0: it has not begun
  uint32_t saved[8];          // r4 to r11
#ifdef __ARM_FP
  float saved_float[16];  // s16 to s31
#endif
};

}  // namespace agent
