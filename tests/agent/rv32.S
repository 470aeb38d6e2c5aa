// SPDX-License-Identifier: Apache-2.0
// Pieces of loaded code for RV32: a good one first, then everything that code can do wrong. a0 points to Io
// (core_main.cpp): result, victim, constants, code, neighbour, data, ten values.

#define IO_RESULT 0
#define IO_VICTIM 4
#define IO_CONSTANTS 8
#define IO_CODE 12
#define IO_NEIGHBOUR 16
#define IO_DATA 20
#define IO_VALUES 24

  .macro piece name, trusted=0
  .section .rodata.pieces, "a"
  .word 9f, piece_\name, \trusted
  .section .rodata.names, "a"
9:.asciz "\name"
  .section .rodata.loaded, "a"
  .balign 4
piece_\name:
  .endm

  .section .rodata.pieces, "a"
  .balign 4
  .globl pieces
pieces:
  .section .rodata.loaded, "a"
  .balign 4
  .globl loaded_begin
loaded_begin:

  piece call
  lw a1, IO_CONSTANTS(a0)
  lbu a1, 3(a1)
  li a2, 5
  mul a1, a1, a2
  addi sp, sp, -16
  sw ra, 12(sp)
  jal 1f
  lw ra, 12(sp)
  addi sp, sp, 16
  ret
1:
  sw a1, IO_RESULT(a0)
  ret

// Every register keeps its value over many slices, the rounding mode included.
  piece slices
  sw ra, IO_VALUES(a0)
  sw sp, IO_VALUES+4(a0)
#ifdef __riscv_float_abi_single
  li t0, 3                    // round towards plus infinity
  fsrm t0
  .irp register, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
  li t0, 0x100+\register
  fmv.w.x f\register, t0
  .endr
#endif
  .irp register, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
  li x\register, 0x200+\register
  .endr
  li x31, 50000
1:
  addi x31, x31, -1
  bnez x31, 1b
  .irp register, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
  addi x\register, x\register, -(0x200+\register)
  or x31, x31, x\register
  .endr
#ifdef __riscv_float_abi_single
  .irp register, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
  fmv.x.w t0, f\register
  addi t0, t0, -(0x100+\register)
  or x31, x31, t0
  .endr
  frrm t0
  addi t0, t0, -3
  or x31, x31, t0
#endif
  addi x31, x31, 0x600
  sw x31, IO_RESULT(a0)
  lw ra, IO_VALUES(a0)
  lw sp, IO_VALUES+4(a0)
  ret

  piece service
  mv s0, a0
  li a0, 1
  li a1, 0x10
  li a2, 0x100
  ecall
  li a1, 0x1000
  li a2, 0
  ecall
  sw a0, IO_RESULT(s0)
  ret

  piece endless
  j .

  piece sleep
  wfi
  j piece_sleep

  piece mask_interrupts
  csrci mstatus, 8
  j .

  piece write_victim
  lw a1, IO_VICTIM(a0)
  sw a1, 0(a1)
  ret

  piece read_victim
  lw a1, IO_VICTIM(a0)
  lw a1, 0(a1)
  sw a1, IO_RESULT(a0)
  ret

  piece write_constants
  lw a1, IO_CONSTANTS(a0)
  sb a1, 0(a1)
  ret

  piece write_code
  lw a1, IO_CODE(a0)
  sh a1, 0(a1)
  ret

  piece write_neighbour
  lw a1, IO_NEIGHBOUR(a0)
  sw a1, 0(a1)
  ret

  piece become_privileged
  li a1, 0x1800
  csrs mstatus, a1

  piece return_from_trap
  mret

  piece disable_protection
  csrwi pmpcfg0, 0

  piece change_traps
  csrw mtvec, a0

  piece timer
  li a1, 0x2004000            // the CLINT's compare register
  sw zero, 0(a1)
  ret

  piece reset_device
  li a1, 0x100000
  li a2, 0x7777
  sw a2, 0(a1)
  ret

  piece no_memory
  li a1, 0xD0000000
  lw a2, 0(a1)
  ret

  piece execute_data
  li a1, 0x00008067           // ret
  sw a1, IO_VALUES(a0)
  addi a1, a0, IO_VALUES
  jr a1

  piece execute_constants
  lw a1, IO_CONSTANTS(a0)
  jr a1

  piece execute_victim
  lw a1, IO_VICTIM(a0)
  jr a1

  piece undefined
  .half 0

  piece wide_undefined
  .word 0xffffffff

  piece breakpoint
  ebreak

  piece jump_to_zero
  jr zero

  piece jump_to_nowhere
  li a1, 0xdeadbeef
  jr a1

  piece divide_by_zero        // is -1
  li a1, 7
  div a1, a1, zero
  sw a1, IO_RESULT(a0)
  ret

  piece overflow
  addi sp, sp, -64
  sw ra, 0(sp)
  j piece_overflow

  piece stack_nowhere         // nobody uses it
  li sp, 0xdeadbee8
  j .

  piece service_without_stack
  mv s0, a0
  li sp, 0
  li a0, 7
  li a1, 0
  li a2, 0
  ecall
  sw a0, IO_RESULT(s0)
  ret

  piece fault_without_stack
  li sp, 0
  .half 0

  piece return_without_stack
  li sp, 0
  ret

  piece trusted_writes_victim, 1
  lw a1, IO_VICTIM(a0)
  li a2, 9
  sw a2, 0(a1)
  ret

  piece trusted_masks_interrupts, 1
  csrci mstatus, 8
  ret

  piece trusted_faults, 1
  csrci mstatus, 8
  .half 0

  .section .rodata.pieces, "a"
  .globl pieces_end
pieces_end:

// Random bytes follow.
  .section .rodata.loaded, "a"
  .balign 4
  .globl loaded_random
loaded_random:
  lw a1, IO_VALUES(a0)
  lw a2, IO_VALUES+4(a0)
  lw a3, IO_VALUES+8(a0)
  lw s0, IO_VALUES+12(a0)
  lw s1, IO_VALUES+16(a0)
  lw sp, IO_VALUES+20(a0)
  lw ra, IO_VALUES+24(a0)
  .globl loaded_end
loaded_end:

  .section .text.spoil_registers, "ax"
  .globl spoil_registers
spoil_registers:
#ifdef __riscv_float_abi_single
  .irp register, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
  li t0, 0x300+\register
  fmv.w.x f\register, t0
  .endr
#endif
  ret

  .section .text.registers_are_spoilt, "ax"
  .globl registers_are_spoilt
registers_are_spoilt:
  li a0, 1
#ifdef __riscv_float_abi_single
  .irp register, 8,9,18,19,20,21,22,23,24,25,26,27
  fmv.x.w t0, f\register
  addi t0, t0, -(0x300+\register)
  beqz t0, 1f
  li a0, 0
1:
  .endr
#endif
  ret
