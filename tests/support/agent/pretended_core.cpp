// SPDX-License-Identifier: Apache-2.0
#include "support/agent/pretended_core.hpp"

#include <string.h>

#include "core.hpp"

namespace agent {

using mote::test::Instruction;
using mote::test::pretended_access;

namespace {

uint8_t* at(uint32_t address) { return reinterpret_cast<uint8_t*>(static_cast<uintptr_t>(address)); }

}  // namespace

void core_start() {}

bool core_protects() { return true; }

uint32_t core_block_alignment(uint32_t) { return 64; }

void core_prepare(Activity& activity, uintptr_t entry, uintptr_t argument, uintptr_t stack_top) {
  activity.registers = Registers{static_cast<uint32_t>(entry), static_cast<uint32_t>(argument), 0,
                                 static_cast<uint32_t>(stack_top)};
}

namespace {

bool holds(const Span& span, uint32_t address, uint32_t bytes) {
  return address >= span.begin && address <= span.end && span.end - address >= bytes;
}

Stop fault(Activity& activity, uint32_t cause, uint32_t address) {
  activity.fault = Fault{cause, activity.registers.pc, address};
  return Stop::fault;
}

}  // namespace

// Protected: it executes code and accesses data, nothing else.
Stop core_resume(Activity& activity) {
  Registers& registers = activity.registers;
  const uint32_t io = registers.argument;
  for (;;) {
    if (!holds(activity.code, registers.pc, 2)) return fault(activity, pretended_access, registers.pc);
    const uint8_t* const code = at(registers.pc);
    const uint32_t n = code[1];
    switch (static_cast<Instruction>(code[0])) {
      case Instruction::back: return Stop::returned;
      case Instruction::count: {
        if (!holds(activity.data, io, 4)) return fault(activity, pretended_access, io);
        uint32_t word;
        memcpy(&word, at(io), sizeof word);
        ++word;
        memcpy(at(io), &word, sizeof word);
        registers.pc += 1;
        break;
      }
      case Instruction::reverse:
        if (!holds(activity.data, io, 8 + 2 * n)) return fault(activity, pretended_access, io);
        for (uint32_t i = 0; i < n; ++i) at(io)[8 + n + i] = at(io)[8 + n - 1 - i];
        registers.pc += 2;
        break;
      case Instruction::spin: return Stop::slice;
      case Instruction::log:
        registers.pc += 2;
        activity.service = Service{1, {io + 8, n}};
        return Stop::service;
      case Instruction::fault:
      default: return fault(activity, n, 0);
    }
  }
}

void core_set_result(Activity& activity, uint32_t value) { activity.registers.result = value; }

uintptr_t core_stack_pointer(const Activity& activity) { return activity.registers.stack_pointer; }

uintptr_t core_program_counter(const Activity& activity) { return activity.registers.pc; }

}  // namespace agent
