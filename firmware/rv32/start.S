// SPDX-License-Identifier: Apache-2.0
// RV32 on QEMU virt: reset, traps, and the measured call.

  .section .start, "ax"
  .globl _start
_start:
#ifdef MOTE_CORES
  csrr t0, mhartid
  bnez t0, mote_park
#endif
  la sp, mote_stack_top
  la t0, mote_trap
  csrw mtvec, t0
  li t0, 0x2000               // mstatus.FS = initial: the floating-point unit, where there is one
  csrs mstatus, t0
  la t0, mote_bss_begin
  la t1, mote_bss_end
1:
  bgeu t0, t1, 2f
  sw zero, 0(t0)
  addi t0, t0, 4
  j 1b
2:
  jal mote_main
  j .

  .section .text.mote_trap, "ax"
  .balign 4
mote_trap:
  la sp, mote_stack_top       // the interrupted stack may be what is broken
  csrr a0, mcause
  csrr a1, mepc
  csrr a2, mtval
  jal mote_fault
  j .

// void mote_measure(Run* run, void* const arguments[4], Measure* measure): paints the stack below this frame, samples
// the counter, calls, samples again, and searches the lowest byte that changed.
// void mote_measure_on(…, uint8_t* stack_bottom): the same on another stack than that of reset.
  .section .text.mote_measure, "ax"
  .globl mote_measure
  .globl mote_measure_on
mote_measure:
  la a3, mote_stack_bottom
mote_measure_on:
  addi sp, sp, -16
  sw ra, 12(sp)
  sw s0, 8(sp)
  sw s1, 4(sp)
  mv s0, a2
  mv t2, a0
  mv t3, a1
  mv s1, a3
  li t0, 0xA5A5A5A5
  mv t1, s1
1:
  sw t0, 0(t1)
  addi t1, t1, 4
  bltu t1, sp, 1b
  lw a0, 0(t3)
  lw a1, 4(t3)
  lw a2, 8(t3)
  lw a3, 12(t3)
  rdinstreth t3
  rdinstret t4
  rdinstreth t5
  sw t3, 0(s0)
  sw t4, 4(s0)
  sw t5, 8(s0)
  jalr t2
  rdinstreth t0
  rdinstret t1
  rdinstreth t2
  sw t0, 12(s0)
  sw t1, 16(s0)
  sw t2, 20(s0)
  li t0, 0xA5
  mv t1, s1
2:
  lbu t2, 0(t1)
  bne t2, t0, 3f
  addi t1, t1, 1
  bltu t1, sp, 2b
3:
  sw t1, 24(s0)
  sw sp, 28(s0)
  lw s1, 4(sp)
  lw s0, 8(sp)
  lw ra, 12(sp)
  addi sp, sp, 16
  ret

  .section .text.mote_return, "ax"
  .globl mote_return
mote_return:
  ret

#ifdef MOTE_CORES
#include "cores.S"
#endif
