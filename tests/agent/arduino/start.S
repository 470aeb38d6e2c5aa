// SPDX-License-Identifier: Apache-2.0
// Vectors of a system that knows nothing of an agent: a fault hangs.

  .syntax unified
  .thumb
  .section .start, "a"
  .word agent_stack_top
  .word reset + 1
  .rept 13
  .word hang + 1
  .endr
  .word SysTick_Handler
  .rept 32
  .word hang + 1
  .endr

  .section .text.reset, "ax"
reset:
  ldr r0, =0xE000ED88
  ldr r1, =0x00F00000
  str r1, [r0]
  dsb
  isb
  bl agent_main
hang:
  b .
