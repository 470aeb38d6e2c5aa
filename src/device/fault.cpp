// SPDX-License-Identifier: Apache-2.0
// Causes of faults in words, as the architectures number them.
#include "device/device.hpp"

namespace mote {
namespace {

// RISC-V Privileged Specification, table of mcause.
std::string rv32_text(uint32_t cause) {
  switch (cause) {
    case 0: return "misaligned instruction address";
    case 1: return "execution of memory that is not code";
    case 2: return "illegal instruction";
    case 3: return "breakpoint";
    case 4: return "misaligned load";
    case 5: return "load from memory that is not its own";
    case 6: return "misaligned store";
    case 7: return "store to memory that is not its own";
    default: return fmt::format("trap {}", cause);
  }
}

// ARMv7-M Architecture Reference Manual, Configurable Fault Status Register.
std::string cortex_m_text(uint32_t cause) {
  if ((cause & 1u << 0) != 0) return "execution of memory that is not code";
  if ((cause & 1u << 1) != 0) return "access to memory that is not its own";
  if ((cause & (1u << 3 | 1u << 4 | 1u << 5 | 1u << 11 | 1u << 12 | 1u << 13)) != 0) return "broken stack";
  if ((cause & 1u << 8) != 0) return "instruction fetch from where no memory is";
  if ((cause & (1u << 9 | 1u << 10)) != 0) return "access to where no memory is";
  if ((cause & 1u << 16) != 0) return "undefined instruction";
  if ((cause & (1u << 17 | 1u << 18)) != 0) return "invalid state";
  if ((cause & 1u << 19) != 0) return "no such coprocessor";
  if ((cause & 1u << 20) != 0) return "stack overflow";
  if ((cause & 1u << 24) != 0) return "misaligned access";
  if ((cause & 1u << 25) != 0) return "division by zero";
  return fmt::format("exception {:#x}", cause);
}

}  // namespace

std::string fault_text(std::string_view architecture, uint32_t cause) {
  if (architecture == "rv32") return rv32_text(cause);
  if (architecture == "cortex-m") return cortex_m_text(cause);
  return fmt::format("cause {:#x}", cause);
}

}  // namespace mote
