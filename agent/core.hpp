// SPDX-License-Identifier: Apache-2.0
// What the agent wants from a core: to run loaded code on a stack of its own, in slices, and to live on when it
// goes wrong. Implemented in agent/core/<architecture>/.
#pragma once

#include <stdint.h>

#include "core_registers.hpp"  // struct Registers, from agent/core/<architecture>/

namespace agent {

struct Span {  // of addresses, half open
  uintptr_t begin, end;
};

enum class Stop : uint32_t {
  returned,  // the entry returned
  slice,     // Board::interrupt_after() is over; core_resume() goes on
  service,   // the code asks for something: Activity::service
  fault,     // Activity::fault; there is no going on
};

struct Fault {
  uint32_t cause;              // rv32: mcause; Cortex-M: CFSR, or 0x80000000 + exception number where CFSR is 0
  uint32_t pc;                 // of the instruction, 0 where it is not known
  uint32_t address;            // that was accessed; 0 where it is not known
  uint32_t stack_pointer = 0;  // the agent's to fill in
};

// The code asks with `ecall` (rv32) or `svc 0` (Cortex-M): number in a0/r0, arguments in a1, a2/r1, r2, result in
// a0/r0.
struct Service {
  uint32_t number;
  uint32_t arguments[2];
};

// Loaded code on its way, between two slices.
struct Activity {
  Registers registers;
  Span code;         // it may execute and read
  Span constants;    // it may read
  Span data;         // it may read and write: its stack, variables, arena
  bool unprotected;  // it may do everything: code that is linked against the firmware
  Service service;
  Fault fault;
};

// Once, before anything else: trap vectors, floating-point unit, memory protection.
void core_start();

// True where Activity's spans are enforced (PMP, MPU).
bool core_protects();

// A power of two, at least 64. Protection knows no finer steps: the block of an Activity's code or of its data
// begins at a multiple of this and its size is rounded up to one, so that nothing else lies within reach.
// (ARMv7-M's regions.)
uint32_t core_block_alignment(uint32_t bytes);

// The activity begins with entry(argument), with interrupts enabled, on a stack that grows down from stack_top.
// Its spans are those of this moment.
void core_prepare(Activity& activity, uintptr_t entry, uintptr_t argument, uintptr_t stack_top);

// Goes on until the code stops for one of the four reasons. Whatever it does, this returns: a fault in any form,
// also on a broken stack, is Stop::fault. Uses none of the activity's stack.
Stop core_resume(Activity& activity);

// The result of the service asked for; before core_resume().
void core_set_result(Activity& activity, uint32_t value);

uintptr_t core_stack_pointer(const Activity& activity);
uintptr_t core_program_counter(const Activity& activity);

}  // namespace agent
