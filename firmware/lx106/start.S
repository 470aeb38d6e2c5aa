// SPDX-License-Identifier: Apache-2.0
// Xtensa lx106 (calls without register windows) on QEMU's sim machine: reset, exceptions, and the measured call.

  .section .reset, "ax"
  j 1f
  .balign 4
start_address:                // l32r reaches backwards only
  .word _start
1:
  l32r a0, start_address
  jx a0

  .section .start, "ax"
  .balign 256
vectors:                      // VECBASE points here
  .org vectors + 0x10
  j trap
  .org vectors + 0x20
  j trap
  .org vectors + 0x30
  j trap
  .org vectors + 0x50
  j trap
  .org vectors + 0x70
  j trap

  .section .text.mote_reset, "ax"
  .balign 4
  .globl _start
_start:
  movi a1, mote_stack_top
  movi a2, vectors
  wsr a2, vecbase
  movi a2, 0
  wsr a2, intenable
  wsr a2, ps
  rsync
  movi a2, mote_bss_begin
  movi a3, mote_bss_end
  movi a4, 0
1:
  bgeu a2, a3, 2f
  s32i a4, a2, 0
  addi a2, a2, 4
  j 1b
2:
  call0 mote_main
  j .

  .balign 4
trap:
  movi a1, mote_stack_top     // the interrupted stack may be what is broken
  rsr a2, exccause
  rsr a3, epc1
  rsr a4, excvaddr
  call0 mote_fault
  j .

// void mote_measure(Run* run, void* const arenas[4], Measure* measure): paints the stack below this frame, samples the
// counter, calls, samples again, and searches the lowest byte that changed. Setting CCOMPARE0 to one tick before now
// makes its interrupt bit tell afterwards whether the counter went all the way round.
  .section .text.mote_measure, "ax"
  .balign 4
  .globl mote_measure
  .type mote_measure, @function
mote_measure:
  addi a1, a1, -16
  s32i a0, a1, 12
  s32i a12, a1, 8
  s32i a13, a1, 4
  mov a12, a4
  movi a13, mote_stack_bottom
  mov a8, a2
  mov a9, a3
  movi a6, 0xA5A5A5A5
  mov a7, a13
1:
  s32i a6, a7, 0
  addi a7, a7, 4
  bltu a7, a1, 1b
  l32i a2, a9, 0
  l32i a3, a9, 4
  l32i a4, a9, 8
  l32i a5, a9, 12
  rsr a6, ccount
  addi a6, a6, -1
  wsr a6, ccompare0
  rsync
  movi a7, 0
  rsr a6, ccount
  s32i a6, a12, 0
  s32i a7, a12, 4
  callx0 a8
  rsr a6, ccount
  rsr a7, interrupt
  s32i a6, a12, 8
  s32i a7, a12, 12
  movi a6, 0xA5
  mov a7, a13
2:
  l8ui a8, a7, 0
  bne a8, a6, 3f
  addi a7, a7, 1
  bltu a7, a1, 2b
3:
  s32i a7, a12, 16
  s32i a1, a12, 20
  l32i a13, a1, 4
  l32i a12, a1, 8
  l32i a0, a1, 12
  addi a1, a1, 16
  ret

  .section .text.mote_return, "ax"
  .balign 4
  .globl mote_return
  .type mote_return, @function
mote_return:
  ret
