// SPDX-License-Identifier: Apache-2.0
// The sums of nn/multiply_vector.hpp in Arm's M-profile vector instructions: 16 instructions for 128 products.
#pragma once

#include <stdint.h>

#include "nn/assembly.hpp"
#include "nn/fixed.hpp"

// Blocking. VMLADAVA adds sixteen products to a general register with an even number; there are eight of these, and
// so eight sums: two pixels times four channels. Six loads feed eight VMLADAVA, twice as many would have to feed
// one pixel times four channels. lr is one of the sums, so the loop counts in r11; one pixel leaves lr to a
// low-overhead loop. Four channels' sums then move into a vector, and are requantised there at once.
// q0, q1: values of the pixels, later their sums. q2, q3: weights, later multipliers and shifts. q5, q6, q7:
// out_zero, low, high. r1, r3, r5, r7: values, weights,
// scales, which only a low register can address bytes with. r9: taps of the tail.

#define MOTE_VECTOR_BEGIN       \
  MOTE_ARM_VECTOR_BEGIN         \
  "ldr r5, [r0, #20]\n"         \
  "ldr r7, [r0, #24]\n"        \
  "ldr r9, [r0, #12]\n"         \
  "ldr r1, [r0, #40]\n"         \
  "vdup.32 q5, r1\n"            \
  "ldr r1, [r0, #44]\n"         \
  "vdup.32 q6, r1\n"            \
  "ldr r1, [r0, #48]\n"         \
  "vdup.32 q7, r1\n"            \
  "1:\n"                        \
  "ldr r11, [sp]\n"            \
  "ldm r11, {r1, r3, r11}\n"      \
  "ldm r7!, {r0, r2, r4, r6}\n"

// gemmlowp's rounding: VQRDMULH is the first; the second, VRSHL, rounds halves up and wants 1 less below zero.
#define MOTE_VECTOR_REQUANTIZE(q)  \
  "vqrdmulh.s32 " q ", " q ", q2\n" \
  "vshr.s32 q4, " q ", #31\n"      \
  "vadd.i32 " q ", " q ", q4\n"    \
  "vrshl.s32 " q ", " q ", q3\n"   \
  "vadd.i32 " q ", " q ", q5\n"    \
  "vmin.s32 " q ", " q ", q7\n"    \
  "vmax.s32 " q ", " q ", q6\n"

namespace nn {

MOTE_BARE void multiply_vector_2x4(VectorBlock&) {
  __asm__ volatile(
      MOTE_VECTOR_BEGIN
      "mov r8, r0\n mov r10, r2\n mov r12, r4\n mov lr, r6\n"
      "cmp r11, #0\n"
      "beq 3f\n"
      "2:\n"
      "vldrb.u8 q0, [r1], #16\n"
      "vldrb.u8 q1, [r3], #16\n"
      "vldrb.u8 q2, [r5], #16\n"
      "vmladava.s8 r0, q0, q2\n vmladava.s8 r8, q1, q2\n"
      "vldrb.u8 q3, [r5], #16\n"
      "vmladava.s8 r2, q0, q3\n vmladava.s8 r10, q1, q3\n"
      "vldrb.u8 q2, [r5], #16\n"
      "vmladava.s8 r4, q0, q2\n vmladava.s8 r12, q1, q2\n"
      "vldrb.u8 q3, [r5], #16\n"
      "vmladava.s8 r6, q0, q3\n vmladava.s8 lr, q1, q3\n"
      "subs r11, r11, #1\n"
      "bne 2b\n"
      "3:\n"
      "cmp r9, #0\n"
      "beq 4f\n"
      "vctp.8 r9\n"
      "vpstt\n vldrbt.u8 q0, [r1]\n vldrbt.u8 q1, [r3]\n"
      "ldr r11, [sp]\n"
      "ldr r11, [r11, #16]\n"
      "vldrb.u8 q2, [r5]\n add r5, r5, r11\n"
      "vmladava.s8 r0, q0, q2\n vmladava.s8 r8, q1, q2\n"
      "vldrb.u8 q3, [r5]\n add r5, r5, r11\n"
      "vmladava.s8 r2, q0, q3\n vmladava.s8 r10, q1, q3\n"
      "vldrb.u8 q2, [r5]\n add r5, r5, r11\n"
      "vmladava.s8 r4, q0, q2\n vmladava.s8 r12, q1, q2\n"
      "vldrb.u8 q3, [r5]\n add r5, r5, r11\n"
      "vmladava.s8 r6, q0, q3\n vmladava.s8 lr, q1, q3\n"
      "4:\n"
      "vmov d0, r0, r2\n vmov d1, r4, r6\n"
      "vmov d2, r8, r10\n vmov d3, r12, lr\n"
      "vldrw.u32 q2, [r7], #16\n"
      "vldrb.s32 q3, [r7], #4\n"
      MOTE_VECTOR_REQUANTIZE("q0")
      MOTE_VECTOR_REQUANTIZE("q1")
      "ldr r11, [sp]\n"
      "ldrd r1, r3, [r11, #28]\n"
      "ldr r0, [r11, #36]\n"
      "vctp.32 r0\n"
      "vpstt\n vstrbt.32 q1, [r3], #4\n vstrbt.32 q0, [r1], #4\n"
      "strd r1, r3, [r11, #28]\n"
      "subs r0, r0, #4\n"
      "str r0, [r11, #36]\n"
      "bgt 1b\n" MOTE_ARM_VECTOR_END);
}

MOTE_BARE void multiply_vector_1x4(VectorBlock&) {
  __asm__ volatile(
      MOTE_VECTOR_BEGIN
      "wls lr, r11, 3f\n"
      "2:\n"
      "vldrb.u8 q0, [r1], #16\n"
      "vldrb.u8 q2, [r5], #16\n"
      "vmladava.s8 r0, q0, q2\n"
      "vldrb.u8 q3, [r5], #16\n"
      "vmladava.s8 r2, q0, q3\n"
      "vldrb.u8 q2, [r5], #16\n"
      "vmladava.s8 r4, q0, q2\n"
      "vldrb.u8 q3, [r5], #16\n"
      "vmladava.s8 r6, q0, q3\n"
      "le lr, 2b\n"
      "3:\n"
      "cmp r9, #0\n"
      "beq 4f\n"
      "vctp.8 r9\n"
      "vpst\n vldrbt.u8 q0, [r1]\n"
      "ldr r11, [sp]\n"
      "ldr r11, [r11, #16]\n"
      "vldrb.u8 q2, [r5]\n add r5, r5, r11\n"
      "vmladava.s8 r0, q0, q2\n"
      "vldrb.u8 q3, [r5]\n add r5, r5, r11\n"
      "vmladava.s8 r2, q0, q3\n"
      "vldrb.u8 q2, [r5]\n add r5, r5, r11\n"
      "vmladava.s8 r4, q0, q2\n"
      "vldrb.u8 q3, [r5]\n add r5, r5, r11\n"
      "vmladava.s8 r6, q0, q3\n"
      "4:\n"
      "vmov d0, r0, r2\n vmov d1, r4, r6\n"
      "vldrw.u32 q2, [r7], #16\n"
      "vldrb.s32 q3, [r7], #4\n"
      MOTE_VECTOR_REQUANTIZE("q0")
      "ldr r11, [sp]\n"
      "ldr r1, [r11, #28]\n"
      "ldr r0, [r11, #36]\n"
      "vctp.32 r0\n"
      "vpst\n vstrbt.32 q0, [r1], #4\n"
      "str r1, [r11, #28]\n"
      "subs r0, r0, #4\n"
      "str r0, [r11, #36]\n"
      "bgt 1b\n" MOTE_ARM_VECTOR_END);
}

}  // namespace nn

#undef MOTE_VECTOR_BEGIN
#undef MOTE_VECTOR_REQUANTIZE
