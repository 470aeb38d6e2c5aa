// SPDX-License-Identifier: Apache-2.0
// From the agent (privileged, main stack) to loaded code (unprivileged, process stack) and back. The board's vectors
// name the handlers: agent_core_fault for 3 to 7, agent_core_service for 11, agent_core_systick for 15 or
// agent_core_slice for another timer's interrupt of the lowest priority.
//
// Loaded code can only be interrupted by an exception that comes from the process stack. Then the main stack begins
// with the frame of agent_core_run's `svc`, whose r0 is the Registers.

#define STOP 0                // offsets of struct Registers
#define STACK_POINTER 4
#define EXCEPTION_RETURN 12
#define SAVED 16
#define SAVED_FLOAT 48

#define STOP_SLICE 1          // enum Stop
#define STOP_SERVICE 2
#define STOP_FAULT 3
#define GO 4

#define FROM_PROCESS_STACK 0x4  // bits of EXC_RETURN
#define NO_FLOAT_FRAME 0x10

  .syntax unified
#if __ARM_ARCH == 6
  .arch armv7-m               // code for ARMv6-M runs on a machine of ARMv7-M
#endif
  .thumb

  .bss
  .balign 4
  .globl agent_core_slice_is_over
agent_core_slice_is_over: .space 4  // the timer came while the agent itself ran
agent_return: .space 4        // EXC_RETURN that leads back to the agent

// void agent_core_run(Registers* registers): until the code stops. Interrupts find the agent's r4 to r11 on its stack.
  .section .text.agent_core_run, "ax"
  .globl agent_core_run
  .type agent_core_run, %function
  .thumb_func
agent_core_run:
  push {r3-r11, lr}
  movs r1, #GO
  str r1, [r0, #STOP]
#ifdef __ARM_FP
  mrs r3, control
  tst r3, #4                  // FPCA: the agent's caller has floating-point registers of value
  it ne
  vpushne {s16-s31}
#endif
  svc 0
#ifdef __ARM_FP
  tst r3, #4
  it ne
  vpopne {s16-s31}
#endif
  pop {r3-r11, pc}

  .section .text.agent_core_service, "ax"
  .globl agent_core_service
  .type agent_core_service, %function
  .thumb_func
agent_core_service:
  movs r1, #STOP_SERVICE
  tst lr, #FROM_PROCESS_STACK
  bne stop
  ldr r0, [sp]
  ldr r1, [r0, #STOP]
  cmp r1, #GO                 // a `svc` whose frame did not fit on the code's stack comes late, after its fault
  bne 2f
  ldr r2, =agent_core_slice_is_over
  ldr r1, [r2]
  cbz r1, 1f
  str r1, [r0, #STOP]         // STOP_SLICE
  movs r1, #0
  str r1, [r2]
2:
  bx lr
1:
  str lr, [r2, #4]            // agent_return
#ifdef __ARM_FP
  add r1, r0, #SAVED_FLOAT
  vldm r1, {s16-s31}
#endif
  adds r0, #STACK_POINTER
  ldm r0, {r1-r11}
  cbnz r3, 3f
  orr r3, lr, #(FROM_PROCESS_STACK | NO_FLOAT_FRAME)
3:
  msr psp, r1
  msr control, r2
  isb
  bx r3

  .section .text.agent_core_fault, "ax"
  .globl agent_core_fault
  .type agent_core_fault, %function
  .thumb_func
agent_core_fault:
  movs r1, #STOP_FAULT
  tst lr, #FROM_PROCESS_STACK
  bne stop
  ldr r0, =0xE000ED0C         // AIRCR: a fault of the agent's own ends in a reset
  ldr r1, =0x05FA0004
  dsb
  str r1, [r0]
  dsb
  b .

  .globl agent_core_systick
  .type agent_core_systick, %function
  .thumb_func
agent_core_systick:
  ldr r0, =0xE000E010         // SYST_CSR: once only
  movs r1, #0
  str r1, [r0]
  .globl agent_core_slice
  .type agent_core_slice, %function
  .thumb_func
agent_core_slice:
  movs r1, #STOP_SLICE
  tst lr, #FROM_PROCESS_STACK
  bne stop
  ldr r0, =agent_core_slice_is_over
  str r1, [r0]
  bx lr

stop:                         // r1: enum Stop
  ldr r0, [sp]
  str r1, [r0, #STOP]
  mrs r1, psp
  str r1, [r0, #STACK_POINTER]
  str lr, [r0, #EXCEPTION_RETURN]
  add r2, r0, #SAVED
  stm r2!, {r4-r11}
#ifdef __ARM_FP
  vstm r2, {s16-s31}
#endif
  mrs r1, control
  bic r1, #1
  msr control, r1
  ldr r0, =agent_return
  ldr r0, [r0]
  bx r0

// SysTick where it belongs to another system: its owner's handler, then the end of a slice.
  .section .bss.agent_core_systick_owner, "aw", %nobits
  .balign 4
  .globl agent_core_systick_owner
agent_core_systick_owner: .space 4

  .section .text.agent_core_shared_systick, "ax"
  .globl agent_core_shared_systick
  .type agent_core_shared_systick, %function
  .thumb_func
agent_core_shared_systick:
  push {r3, lr}
  ldr r0, =agent_core_systick_owner
  ldr r0, [r0]
  blx r0
  pop {r3, lr}
  b agent_core_slice
