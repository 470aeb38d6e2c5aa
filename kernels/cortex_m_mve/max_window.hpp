// SPDX-License-Identifier: Apache-2.0
// The largest element of one pooling window, sixteen channels at a time.
#pragma once

#include <stdint.h>

#include "nn/assembly.hpp"
#include "nn/pool.hpp"

namespace nn {

struct MaxWindow {
  const int8_t* first;
  int8_t* out;
  int32_t low, high, height, width, gap, channels;
};

MOTE_BARE void max_window(const MaxWindow&) {
  __asm__ volatile(
      MOTE_ARM_BEGIN
      "ldm r0, {r0, r1, r2, r3, r4, r5, r6, r7}\n"
      "mov r8, r7\n"
      "1:\n"
      "vctp.8 r8\n"
      "vdup.8 q0, r2\n"
      "mov r9, r0\n"
      "mov r10, r4\n"
      "2:\n"
      "dls lr, r5\n"
      "3:\n"
      "vpst\n vldrbt.u8 q1, [r9]\n"
      "add r9, r9, r7\n"
      "vmax.s8 q0, q0, q1\n"
      "le lr, 3b\n"
      "add r9, r9, r6\n"
      "subs r10, r10, #1\n"
      "bne 2b\n"
      "vdup.8 q1, r3\n"
      "vmin.s8 q0, q0, q1\n"
      "vpst\n vstrbt.8 q0, [r1]\n"
      "add r0, r0, #16\n"
      "add r1, r1, #16\n"
      "subs r8, r8, #16\n"
      "bgt 1b\n" MOTE_ARM_END);
}

MOTE_KERNEL void max_window_s8(const Pool& p, const int8_t* first, int32_t height, int32_t width, int8_t* out) {
  max_window({first, out, p.low, p.high, height, width, (p.in_width - width) * p.channels, p.channels});
}

}  // namespace nn
