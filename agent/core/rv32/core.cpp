// SPDX-License-Identifier: Apache-2.0
// RV32: loaded code runs in user mode behind PMP entries, or in machine mode where it is trusted; everything that
// ends a slice is a trap.
#include "core.hpp"

extern "C" {
uint32_t agent_enter(agent::Registers* registers);
void agent_trap();
}

namespace agent {
namespace {

enum Cause : uint32_t {
  instruction_fault = 1,
  user_call = 8,
  machine_call = 11,
  timer = 0x80000007,
  interrupt = 0x80000000,
};

// The entry returns to where no memory is: the fetch faults, which tells that it is over.
constexpr uint32_t return_address = 0xfffffff0;

enum Permission : uint32_t { read = 1, write = 2, execute = 4, top_of_range = 8 };

void set_protection(const Activity& activity) {
  const uint32_t entries[6] = {
      0, read | execute | top_of_range, 0, read | write | top_of_range, 0, read | top_of_range};
  const uint32_t low = entries[1] << 8 | entries[3] << 24, high = entries[5] << 8;
  asm volatile(
      "csrw pmpaddr0, %0\n\tcsrw pmpaddr1, %1\n\tcsrw pmpaddr2, %2\n\tcsrw pmpaddr3, %3\n\tcsrw pmpaddr4, %4\n\t"
      "csrw pmpaddr5, %5\n\tcsrw pmpcfg0, %6\n\tcsrw pmpcfg1, %7\n\tsfence.vma"
      :
      : "r"(activity.code.begin >> 2), "r"((activity.code.end + 3) >> 2), "r"(activity.data.begin >> 2),
        "r"(activity.data.end >> 2), "r"(activity.constants.begin >> 2), "r"(activity.constants.end >> 2),
        "r"(low), "r"(high)
      : "memory");
}

}  // namespace

void core_start() {
  const uint32_t counters = 7;
  asm volatile("csrw mtvec, %0\n\tcsrw mscratch, zero\n\tcsrw mcounteren, %1\n\tcsrw mie, zero"
               :
               : "r"(&agent_trap), "r"(counters));
}

// Entries that are not implemented read as zero.
bool core_protects() {
  uint32_t value;
  asm volatile("csrw pmpaddr5, %1\n\tcsrr %0, pmpaddr5" : "=r"(value) : "r"(0x3fffffff));
  return value != 0;
}

uint32_t core_block_alignment(uint32_t) { return 64; }

void core_prepare(Activity& activity, uintptr_t entry, uintptr_t argument, uintptr_t stack_top) {
  const uint32_t previous_interrupts = 0x80, machine_mode = 0x1800, float_unit = 0x6000;
  activity.registers = Registers();
  activity.registers.x[0] = static_cast<uint32_t>(entry);
  activity.registers.x[1] = return_address;
  activity.registers.x[2] = static_cast<uint32_t>(stack_top);
  activity.registers.x[10] = static_cast<uint32_t>(argument);
  activity.registers.status = previous_interrupts | float_unit | (activity.unprotected ? machine_mode : 0);
}

Stop core_resume(Activity& activity) {
  if (!activity.unprotected) set_protection(activity);
  const uint32_t cause = agent_enter(&activity.registers);
  uint32_t& pc = activity.registers.x[0];
  if ((cause & interrupt) != 0) return Stop::slice;
  if (cause == user_call || cause == machine_call) {
    pc += 4;
    activity.service = Service{activity.registers.x[10], {activity.registers.x[11], activity.registers.x[12]}};
    return Stop::service;
  }
  if (cause == instruction_fault && pc == return_address) return Stop::returned;
  uint32_t address;
  asm volatile("csrr %0, mtval" : "=r"(address));
  activity.fault = Fault{cause, pc, address};
  return Stop::fault;
}

void core_set_result(Activity& activity, uint32_t value) { activity.registers.x[10] = value; }

uintptr_t core_stack_pointer(const Activity& activity) { return activity.registers.x[2]; }

uintptr_t core_program_counter(const Activity& activity) { return activity.registers.x[0]; }

}  // namespace agent
