// SPDX-License-Identifier: Apache-2.0
// Loaded code on Cortex-M: its context and what its faults say. protection.cpp knows the memory protection unit.
#include "core.hpp"

#include "protection.hpp"

extern "C" void agent_core_run(agent::Registers* registers);

namespace agent {
namespace {

// What the hardware pushes on the process stack; floating-point registers lie above it.
struct Frame {
  uint32_t r0, r1, r2, r3, r12, lr, pc, xpsr;
};

// In the system's memory, where no instruction is ever fetched from: the jump there is the fault that tells a
// return.
constexpr uint32_t return_address = 0xEFFFFFF0;
constexpr uint32_t thumb = 1u << 24;  // of xPSR
constexpr uint32_t fetch_violation = 1u << 0, memory_address_valid = 1u << 7, bus_address_valid = 1u << 15;
constexpr uint32_t no_frame = 1u << 3 | 1u << 4 | 1u << 11 | 1u << 12;  // (M)(UN)STKERR
constexpr uint32_t hard_fault = 0x80000003;

// nullptr: the stack pointer leads out of the code's own memory.
Frame* frame_of(const Activity& activity) {
  const uint32_t at = activity.registers.stack_pointer;
  const bool inside =
      activity.data.begin <= at && at <= activity.data.end && activity.data.end - at >= sizeof(Frame);
  return (inside || activity.unprotected) && (at & 3) == 0 ? reinterpret_cast<Frame*>(at) : nullptr;
}

// True when it is the return.
bool read_fault(Activity& activity) {
  volatile uint32_t* const status = system_register(0xE000ED28);  // CFSR, HFSR, DFSR, MMFAR, BFAR
  Fault& fault = activity.fault;
  const uint32_t cause = status[0];
  fault = Fault{cause, 0, 0};
  if ((cause & memory_address_valid) != 0) fault.address = status[3];
  if ((cause & bus_address_valid) != 0) fault.address = status[4];
  status[0] = cause;
  status[1] = status[1];
  status[2] = status[2];
  const Frame* const frame = frame_of(activity);
  if (frame != nullptr && (cause & no_frame) == 0) fault.pc = frame->pc;
  if (cause == 0) fault.cause = hard_fault;
  return fault.pc == return_address && (cause & fetch_violation) != 0;
}

}  // namespace

void core_start() {
  *system_register(0xE000ED88) |= 0xFu << 20;  // CPACR: the floating-point unit
#ifdef __ARM_FP
  // FPCCR: no lazy stacking, which would write to the code's stack when the code may be gone.
  *system_register(0xE000EF34) = (*system_register(0xE000EF34) & ~(1u << 30)) | 1u << 31;
#endif
  volatile uint32_t& control = *system_register(0xE000ED14);  // CCR
  control = (control & ~(1u << 1)) | 1u << 9;                 // no software interrupts by loaded code; STKALIGN
  *system_register(0xE000ED24) = 0;                           // SHCSR: every fault is a HardFault
  *system_register(0xE000ED1C) |= 0xFFu << 24;                // SHPR2, SHPR3: no handler is interrupted by SVC
  *system_register(0xE000ED20) |= 0xFFu << 24;                // or SysTick, so that those come from loaded code
#if __ARM_ARCH >= 8
  asm volatile("msr psplim, %0" : : "r"(0));  // a boot loader's
#endif
  protection_start();
  asm volatile("dsb\n\tisb\n\tcpsie i" : : : "memory");
}

void core_prepare(Activity& activity, uintptr_t entry, uintptr_t argument, uintptr_t stack_top) {
  forget_protection();
  Registers& registers = activity.registers;
  registers = Registers{};
  registers.stack_pointer = (stack_top & ~7u) - sizeof(Frame);
  registers.control = activity.unprotected ? 0 : 1;
  Frame* const frame = frame_of(activity);
  if (frame != nullptr) *frame = Frame{argument, 0, 0, 0, 0, return_address | 1, entry & ~1u, thumb};
}

Stop core_resume(Activity& activity) {
  if (!activity.unprotected) protect(activity);
  agent_core_run(&activity.registers);
  protect_nothing();
  asm volatile("cpsie i\n\tcpsie f\n\tmsr basepri, %0" : : "r"(0) : "memory");
  const Stop stop = static_cast<Stop>(activity.registers.stop);
  if (stop == Stop::fault) return read_fault(activity) ? Stop::returned : Stop::fault;
  const Frame* const frame = frame_of(activity);
  if (stop == Stop::service && frame != nullptr) activity.service = Service{frame->r0, {frame->r1, frame->r2}};
  return stop;
}

void core_set_result(Activity& activity, uint32_t value) {
  Frame* const frame = frame_of(activity);
  if (frame != nullptr) frame->r0 = value;
}

uintptr_t core_stack_pointer(const Activity& activity) { return activity.registers.stack_pointer; }

uintptr_t core_program_counter(const Activity& activity) {
  if (activity.registers.stop == static_cast<uint32_t>(Stop::fault)) return activity.fault.pc;
  const Frame* const frame = frame_of(activity);
  return frame != nullptr ? frame->pc : 0;
}

}  // namespace agent
