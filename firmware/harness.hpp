// SPDX-License-Identifier: Apache-2.0
// What the start code of every machine shares with main.cpp.
#pragma once

#include <stdint.h>

#include "machine.hpp"

// Written by mote_measure (start.S) in this order.
struct Measure {
  Sample begin, end;
  uint32_t lowest_changed;  // address of the lowest byte of the stack that changed; equal to stack_pointer: none
  uint32_t stack_pointer;   // at the call
};

// NAME_run or NAME_run_part, whatever number of arenas it takes: every machine here passes the first four
// arguments in registers.
using Run = void(void*, void*, void*, void*);

extern "C" {
extern uint8_t mote_stack_bottom[], mote_stack_top[];
void mote_measure(Run* run, void* const arguments[4], Measure* measure);
void mote_return(void*, void*, void*, void*);  // returns at once
void mote_push_rows(void* arena);

// With two cores only.
extern uint8_t mote_second_stack_bottom[], mote_second_stack_top[];
void mote_measure_on(Run* run, void* const arguments[4], Measure* measure, uint8_t* stack_bottom);
void mote_second_core();
#ifdef MOTE_CORES
void mote_switch(Context* from, const Context* to);
#endif

[[noreturn]] void mote_fault(uint32_t cause, uint32_t pc, uint32_t address);
}
