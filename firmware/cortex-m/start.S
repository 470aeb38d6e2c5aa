// SPDX-License-Identifier: Apache-2.0
// Cortex-M on QEMU's MPS2 boards: vectors, reset, faults, and the measured call.

  .syntax unified
#if __ARM_ARCH == 6
  .arch armv7-m               // an ARMv6-M model runs on an ARMv7-M machine: this file is the machine's
#endif
  .thumb

  .section .start, "a"
  .word mote_stack_top
  .word reset + 1
  .rept 14                    // every exception is a fault: nothing is enabled
  .word fault + 1
  .endr

  .section .text.reset, "ax"
reset:
#ifdef __ARM_FP
  ldr r0, =0xE000ED88         // CPACR: full access to the floating-point unit
  ldr r1, =0x00F00000
  str r1, [r0]
  dsb
  isb
#endif
  ldr r0, =mote_bss_begin
  ldr r1, =mote_bss_end
  movs r2, #0
1:
  cmp r0, r1
  bhs 2f
  str r2, [r0], #4
  b 1b
2:
  bl mote_main
  b .

  .section .text.fault, "ax"
fault:
  ldr r0, =0xE000ED28         // CFSR: what went wrong
  ldr r2, [r0, #16]           // BFAR
  ldr r0, [r0]
  movs r1, #0
  mov r3, sp
  ldr r12, =mote_stack_bottom
  cmp r3, r12
  blo 1f                      // the stack is lost, and the program counter with it
  ldr r1, [r3, #24]
1:
  ldr r3, =mote_stack_top     // the interrupted stack may be what is broken
  mov sp, r3
  bl mote_fault
  b .

// Offsets of the counter's low and high word, and its address.
#ifdef MOTE_SYSTEM_COUNTER
#define COUNTER MOTE_SYSTEM_COUNTER + 0x1000
#define COUNTER_LOW 0
#define COUNTER_HIGH 4
#else
#define COUNTER MOTE_DUAL_TIMER
#define COUNTER_LOW 0x04
#define COUNTER_HIGH 0x24
#endif

// void mote_measure(Run* run, void* const arenas[4], Measure* measure): paints the stack below this frame, samples the
// counter, calls, samples again, and searches the lowest byte that changed.
  .section .text.mote_measure, "ax"
  .globl mote_measure
  .type mote_measure, %function
  .thumb_func
mote_measure:
  push {r4, r5, r6, r7, r8, lr}
  mov r4, r2
  mov r12, r0
  mov r3, r1
  ldr r5, =mote_stack_bottom
  ldr r6, =COUNTER
  mov r1, r5
  ldr r2, =0xA5A5A5A5
1:
  str r2, [r1], #4
  cmp r1, sp
  blo 1b
  ldm r3, {r0, r1, r2, r3}
  ldr r8, [r6, #COUNTER_HIGH]
  ldr r7, [r6, #COUNTER_LOW]
  blx r12
  ldr r2, [r6, #COUNTER_HIGH]
  ldr r1, [r6, #COUNTER_LOW]
  str r7, [r4]
  str r8, [r4, #4]
  str r1, [r4, #8]
  str r2, [r4, #12]
  mov r1, r5
2:
  ldrb r2, [r1]
  cmp r2, #0xA5
  bne 3f
  adds r1, #1
  cmp r1, sp
  blo 2b
3:
  str r1, [r4, #16]
  mov r2, sp
  str r2, [r4, #20]
  pop {r4, r5, r6, r7, r8, pc}

  .section .text.mote_return, "ax"
  .globl mote_return
  .type mote_return, %function
  .thumb_func
mote_return:
  bx lr
