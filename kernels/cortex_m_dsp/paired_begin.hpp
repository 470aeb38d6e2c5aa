// SPDX-License-Identifier: Apache-2.0
// How blocks of one or two pixels times four channels begin, as text for kernels in assembly. The members of Paired and
// Paired16 up to the weights lie alike.
#pragma once

#include "nn/assembly.hpp"

// [sp, #4]: the end of the values. The entry becomes an address; lr: the weights.
#define MOTE_DSP_PAIRED_BEGIN   \
  "ldr r1, [r0, #12]\n"         \
  MOTE_ARM_BEGIN                \
  "adr.w r1, 3f\n"              \
  "ldr r2, [r0, #4]\n"          \
  "sub r1, r1, r2\n"            \
  "add r1, r1, #1\n"            \
  "str r1, [r0, #4]\n"          \
  "ldr lr, [r0, #16]\n"         \
  "1:\n"                        \
  "ldr r0, [sp]\n"              \
  "ldm r0, {r1, r2, r12}\n"     \
  "ldm r1!, {r4, r5, r6, r7}\n" \
  "str r1, [r0]\n"
