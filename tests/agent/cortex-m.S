// SPDX-License-Identifier: Apache-2.0
// Pieces of loaded code for Cortex-M: a good one first, then everything that code can do wrong. r0 points to Io
// (core_main.cpp): result, victim, constants, code, neighbour, data, ten values.

  .syntax unified
#if __ARM_ARCH == 6
  .arch armv7-m
#endif
  .thumb

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
  ldr r1, [r0, #IO_CONSTANTS]
  ldrb r1, [r1, #3]
  movs r2, #5
  mul r1, r2
  push {r1, lr}
  bl 1f
  pop {r1, pc}
1:
  str r1, [r0, #IO_RESULT]
  bx lr

// Every register keeps its value over many slices, flags and the stack included.
  piece slices
  push {r4-r11, lr}
  push {r0}
  ldr r1, =50000
#ifdef __ARM_FP
  mov r2, #0x400000           // FPSCR: round towards plus infinity
  vmsr fpscr, r2
  .irp register, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
  mov r2, #0x100+\register
  vmov s\register, r2
  .endr
#endif
  .irp register, 2,3,4,5,6,7,8,9,10,11,12,14
  mov r\register, #0x200+\register
  .endr
1:
  subs r1, #1
  bne 1b
  .irp register, 2,3,4,5,6,7,8,9,10,11,12,14
  sub r\register, #0x200+\register
  orr r1, r\register
  .endr
#ifdef __ARM_FP
  .irp register, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
  vmov r2, s\register
  sub r2, #0x100+\register
  orr r1, r2
  .endr
  vmrs r2, fpscr
  sub r2, #0x400000
  orr r1, r2
#endif
  pop {r0}
  add r1, #0x600
  str r1, [r0, #IO_RESULT]
  pop {r4-r11, pc}
  .ltorg

  piece service
  mov r4, r0
  movs r0, #1
  movs r1, #0x10
  mov r2, #0x100
  svc 0
  mov r1, #0x1000
  movs r2, #0
  svc 0
  str r0, [r4, #IO_RESULT]
  bx lr

  piece other_service         // the number of the instruction means nothing
  mov r4, r0
  movs r0, #7
  mov r1, #0
  mov r2, #0
  svc 255
  str r0, [r4, #IO_RESULT]
  bx lr

  piece endless
  b .

  piece sleep
  wfi
  wfe
  b piece_sleep

  piece mask_interrupts
  cpsid i
  cpsid f
  movs r1, #0x10
  msr basepri, r1
  msr primask, r1
  b .

  piece write_victim
  ldr r1, [r0, #IO_VICTIM]
  str r1, [r1]
  bx lr

  piece read_victim
  ldr r1, [r0, #IO_VICTIM]
  ldr r1, [r1]
  str r1, [r0, #IO_RESULT]
  bx lr

  piece write_constants
  ldr r1, [r0, #IO_CONSTANTS]
  strb r1, [r1]
  bx lr

  piece write_code
  ldr r1, [r0, #IO_CODE]
  strh r1, [r1]
  bx lr

  piece write_neighbour
  ldr r1, [r0, #IO_NEIGHBOUR]
  str r1, [r1]
  bx lr

  piece become_privileged
  movs r1, #0
  msr control, r1
  isb
  ldr r1, [r0, #IO_VICTIM]
  str r1, [r1]
  bx lr

  piece disable_protection
  ldr r1, =0xE000ED94
  movs r2, #0
  str r2, [r1]
  bx lr

  piece software_interrupt
  ldr r1, =0xE000EF00
  movs r2, #0
  str r2, [r1]
  bx lr

  piece reset_device
  ldr r1, =0xE000ED0C
  ldr r2, =0x05FA0004
  str r2, [r1]
  bx lr

  piece no_memory
  ldr r1, =0xD0000000
  ldr r2, [r1]
  bx lr
  .ltorg

  piece execute_data
  ldr r1, =0x47704770         // bx lr
  str r1, [r0, #IO_VALUES]
  add r1, r0, #(IO_VALUES + 1)
  bx r1

  piece execute_constants
  ldr r1, [r0, #IO_CONSTANTS]
  add r1, #1
  bx r1

  piece execute_victim
  ldr r1, [r0, #IO_VICTIM]
  add r1, #1
  bx r1

  piece undefined
  udf #0

  piece wide_undefined
  udf.w #1

  piece breakpoint
  bkpt 0

  piece semihosting           // exit, were it allowed
  movs r0, #0x18
  ldr r1, =0x20026
  bkpt 0xab

  piece jump_to_zero
  movs r1, #1
  bx r1

  piece jump_to_nowhere
  ldr r1, =0xdeadbeef
  bx r1

  piece jump_to_arm_state
  ldr r1, [r0, #IO_CODE]
  bx r1
  .ltorg

  .macro jump name, address
  piece \name
  ldr r1, =\address
  bx r1
  .ltorg
  .endm
  jump exception_return_to_handler, 0xFFFFFFF1
  jump exception_return_to_agent, 0xFFFFFFF9
  jump exception_return_to_itself, 0xFFFFFFFD
  jump exception_return_with_floats, 0xFFFFFFE9
  jump exception_return_not_secure, 0xFFFFFFBC

  piece pop_exception_return
  ldr r1, =0xFFFFFFF9
  push {r1}
  pop {pc}

  piece unaligned
  add r1, r0, #1
  ldm r1, {r2, r3}
  bx lr

  piece no_coprocessor
  mrc p0, 0, r1, c0, c0, 0
  bx lr

  piece divide_by_zero        // is 0
  movs r1, #7
  movs r2, #0
  udiv r1, r1, r2
  add r1, #0x20
  str r1, [r0, #IO_RESULT]
  bx lr

  piece overflow
  push {r1-r11, lr}
  bl piece_overflow

  .macro bad_stack name, load:vararg
  piece \name
  \load
  lsr r1, #9                  // within a block
  lsl r1, #9
  sub r1, #512
  mov sp, r1
  b .
  .endm
  bad_stack stack_nowhere, ldr r1, =0xdeadbee8
  .ltorg
  bad_stack stack_at_zero, movs r1, #0
  bad_stack stack_in_victim, ldr r1, [r0, #IO_VICTIM]
  bad_stack stack_in_constants, ldr r1, [r0, #IO_DATA]
  bad_stack stack_in_code, add r1, pc, #2048
  bad_stack stack_in_devices, ldr r1, =0x40000400
  bad_stack stack_in_system, ldr r1, =0xE000F000
  .ltorg

  piece stack_at_its_end
  ldr r1, [r0, #IO_DATA]
  add r1, #24
  mov sp, r1                  // 32 bytes are wanted
  b .

  piece service_without_stack
  ldr r1, [r0, #IO_VICTIM]
  mov sp, r1
  svc 0
  b .

  piece fault_without_stack
  ldr r1, [r0, #IO_VICTIM]
  mov sp, r1
  udf #0

  piece breakpoint_without_stack
  movs r1, #0
  mov sp, r1
  bkpt 0

  piece return_without_stack
  movs r1, #0
  mov sp, r1
  bx lr

#ifdef __ARM_FP
  piece floats_without_stack
  vmov s0, r0
  ldr r1, [r0, #IO_DATA]
  add r1, #64                 // room for the integers, not for these
  mov sp, r1
  b .
#endif

  piece other_state           // of ARMv8-M
#if __ARM_ARCH >= 8
  ldr r1, [r0, #IO_CODE]
  bxns r1
#else
  udf #0
#endif

  piece trusted_writes_victim, 1
  ldr r1, [r0, #IO_VICTIM]
  movs r2, #9
  str r2, [r1]
  bx lr

  piece trusted_masks_interrupts, 1
  cpsid i
  movs r1, #0x10
  msr basepri, r1
  bx lr

  piece trusted_faults, 1
  cpsid i
  udf #0

  .section .rodata.pieces, "a"
  .globl pieces_end
pieces_end:

// Random bytes follow.
  .section .rodata.loaded, "a"
  .balign 4
  .globl loaded_random
loaded_random:
  add r0, #IO_VALUES
  ldm r0, {r1-r7}
  .globl loaded_end
loaded_end:

  .section .text.spoil_registers, "ax"
  .globl spoil_registers
  .type spoil_registers, %function
  .thumb_func
spoil_registers:
#ifdef __ARM_FP
  .irp register, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
  mov r0, #0x300+\register
  vmov s\register, r0
  .endr
#endif
  bx lr

  .section .text.registers_are_spoilt, "ax"
  .globl registers_are_spoilt
  .type registers_are_spoilt, %function
  .thumb_func
registers_are_spoilt:
  movs r0, #1
#ifdef __ARM_FP
  .irp register, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
  vmov r1, s\register
  sub r1, #0x300+\register
  cmp r1, #0
  it ne
  movne r0, #0
  .endr
#endif
  bx lr
