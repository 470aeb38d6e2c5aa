// SPDX-License-Identifier: Apache-2.0
// QEMU's MPS2 boards: vectors and reset.

  .syntax unified
#if __ARM_ARCH == 6
  .arch armv7-m               // code for ARMv6-M runs on a machine of ARMv7-M
#endif
  .thumb

  .section .start, "a"
  .word agent_stack_top
  .word reset + 1
  .rept 6                     // NMI, HardFault, and those that become a HardFault
  .word agent_core_fault
  .endr
  .rept 3
  .word 0
  .endr
  .word agent_core_service
  .rept 3
  .word agent_core_fault
  .endr
  .word agent_core_systick
  .rept 64
  .word agent_board_interrupt
  .endr

  .section .text.reset, "ax"
reset:
#ifdef __ARM_FP
  ldr r0, =0xE000ED88         // CPACR: the compiler may use floating-point registers from here on
  ldr r1, =0x00F00000
  str r1, [r0]
  dsb
  isb
#endif
  ldr r0, =agent_bss_begin
  ldr r1, =agent_bss_end
  movs r2, #0
1:
  cmp r0, r1
  bhs 2f
  str r2, [r0], #4
  b 1b
2:
  bl agent_main
  b .
