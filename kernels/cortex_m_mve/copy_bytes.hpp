// SPDX-License-Identifier: Apache-2.0
// Runs of bytes in tail-predicated vector loops: sixteen bytes in three instructions.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"

namespace nn {

MOTE_KERNEL int8_t* copy_bytes(const int8_t* from, int32_t count, int8_t* to) {
  int8_t* const end = to + count;
  __asm__ volatile(
      "wlstp.8 lr, %[count], 2f\n"
      "1:\n"
      "vldrb.u8 q0, [%[from]], #16\n"
      "vstrb.8 q0, [%[to]], #16\n"
      "letp lr, 1b\n"
      "2:\n"
      : [from] "+l"(from), [to] "+l"(to)
      : [count] "r"(count)
      : "memory", "q0", "lr");
  return end;
}

MOTE_KERNEL int8_t* fill_bytes(int32_t value, int32_t count, int8_t* to) {
  int8_t* const end = to + count;
  __asm__ volatile(
      "vdup.8 q0, %[value]\n"
      "wlstp.8 lr, %[count], 2f\n"
      "1:\n"
      "vstrb.8 q0, [%[to]], #16\n"
      "letp lr, 1b\n"
      "2:\n"
      : [to] "+l"(to)
      : [count] "r"(count), [value] "r"(value)
      : "memory", "q0", "lr");
  return end;
}

}  // namespace nn
