// SPDX-License-Identifier: Apache-2.0
// RV32, machine mode: into loaded code and back out by a trap.

  .macro each_saved operation, base, from, kind
  .irp register, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
  \operation \kind\register, \from+4*\register(\base)
  .endr
  .endm

// uint32_t agent_enter(Registers* registers): returns mcause.
  .section .text.agent_enter, "ax"
  .globl agent_enter
agent_enter:
#ifdef __riscv_float_abi_single
  addi sp, sp, -48            // the caller's, who may compute with them
  each_saved fsw, sp, 0, fs
#endif
  addi sp, sp, -64
  sw ra, 48(sp)
  each_saved sw, sp, 0, s
  la t0, agent_stack_pointer
  sw sp, 0(t0)
  csrw mscratch, a0
  lw t0, 0(a0)
  csrw mepc, t0
  lw t0, 128(a0)
  csrw mstatus, t0
#ifdef __riscv_float_abi_single
  .irp register, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
  flw f\register, 132+4*\register(a0)
  .endr
  lw t0, 260(a0)
  fscsr t0
#endif
  .irp register, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,10
  lw x\register, 4*\register(a0)
  .endr
  mret

// Every trap. mscratch: the Registers of the code that runs, 0 in the agent itself.
  .section .text.agent_trap, "ax"
  .balign 4
  .globl agent_trap
agent_trap:
  csrrw a0, mscratch, a0
  beqz a0, agent_lost
  .irp register, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
  sw x\register, 4*\register(a0)
  .endr
  csrrw t0, mscratch, zero
  sw t0, 40(a0)
  csrr t0, mepc
  sw t0, 0(a0)
#ifdef __riscv_float_abi_single
  li t0, 0x6000
  csrs mstatus, t0
  .irp register, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
  fsw f\register, 132+4*\register(a0)
  .endr
  frcsr t0
  sw t0, 260(a0)
#endif
  csrr a0, mcause
  lw sp, agent_stack_pointer
  each_saved lw, sp, 0, s
  lw ra, 48(sp)
  addi sp, sp, 64
#ifdef __riscv_float_abi_single
  each_saved flw, sp, 0, fs
  addi sp, sp, 48
#endif
  ret

// The agent itself has gone wrong, on whatever stack: the board begins anew.
agent_lost:
  la sp, agent_lost_stack_top
  j agent_lost_board

  .section .bss.agent_core, "aw", @nobits
  .balign 16
agent_stack_pointer:
  .space 16
