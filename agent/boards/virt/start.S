// SPDX-License-Identifier: Apache-2.0
// RV32 on QEMU virt: reset.

  .section .start, "ax"
  .globl _start
_start:
  la sp, agent_stack_top
  li t0, 0x6000               // mstatus.FS: the floating-point unit, where there is one
  csrs mstatus, t0
  la t0, agent_bss_begin
  la t1, agent_bss_end
1:
  bgeu t0, t1, 2f
  sw zero, 0(t0)
  addi t0, t0, 4
  j 1b
2:
  jal agent_main
  j .
