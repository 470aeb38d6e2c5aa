// SPDX-License-Identifier: Apache-2.0
// RV32 on QEMU virt: the second hart, and the change from one coroutine to another.

  .equ software_interrupt, 8          // its bit in mie and mip
  .equ second_msip, 0x2000004         // CLINT: pends it at hart 1

// Hart 1 sleeps until hart 0 sends it an interrupt, which it takes as a wake-up only.
  .section .start, "ax"
mote_park:
  la sp, mote_second_stack_top
  la t0, mote_trap
  csrw mtvec, t0
  li t0, 0x2000
  csrs mstatus, t0
  li t0, software_interrupt
  csrw mie, t0
1:
  wfi
  csrr t0, mip
  andi t0, t0, software_interrupt
  beqz t0, 1b
  li t0, second_msip
  sw zero, 0(t0)
  fence
  jal mote_second_core
  j 1b

// void mote_switch(Context* from, const Context* to): what a call leaves alone.
  .section .text.mote_switch, "ax"
  .globl mote_switch
mote_switch:
  .irp register, ra, sp, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11
  sw \register, 0(a0)
  addi a0, a0, 4
  .endr
  .irp register, ra, sp, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11
  lw \register, 0(a1)
  addi a1, a1, 4
  .endr
#ifdef __riscv_float_abi_single
  .irp register, fs0, fs1, fs2, fs3, fs4, fs5, fs6, fs7, fs8, fs9, fs10, fs11
  fsw \register, 0(a0)
  addi a0, a0, 4
  .endr
  .irp register, fs0, fs1, fs2, fs3, fs4, fs5, fs6, fs7, fs8, fs9, fs10, fs11
  flw \register, 0(a1)
  addi a1, a1, 4
  .endr
#endif
  ret
