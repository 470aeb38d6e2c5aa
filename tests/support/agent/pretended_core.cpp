// SPDX-License-Identifier: Apache-2.0
#include "support/agent/pretended_core.hpp"

#include <string.h>

#include "core.hpp"

namespace agent {

using mote::test::Instruction;

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

Stop core_resume(Activity& activity) {
  Registers& registers = activity.registers;
  uint8_t* const io = at(registers.argument);
  for (;;) {
    const uint8_t* const code = at(registers.pc);
    const uint32_t n = code[1];
    switch (static_cast<Instruction>(code[0])) {
      case Instruction::back: return Stop::returned;
      case Instruction::count: {
        uint32_t word;
        memcpy(&word, io, sizeof word);
        ++word;
        memcpy(io, &word, sizeof word);
        registers.pc += 1;
        break;
      }
      case Instruction::reverse:
        for (uint32_t i = 0; i < n; ++i) io[8 + n + i] = io[8 + n - 1 - i];
        registers.pc += 2;
        break;
      case Instruction::spin: return Stop::slice;
      case Instruction::log:
        registers.pc += 2;
        activity.service = Service{1, {registers.argument + 8, n}};
        return Stop::service;
      case Instruction::fault:
      default: activity.fault = Fault{n, registers.pc, 0}; return Stop::fault;
    }
  }
}

void core_set_result(Activity& activity, uint32_t value) { activity.registers.result = value; }

uintptr_t core_stack_pointer(const Activity& activity) { return activity.registers.stack_pointer; }

uintptr_t core_program_counter(const Activity& activity) { return activity.registers.pc; }

}  // namespace agent
