// SPDX-License-Identifier: Apache-2.0
// One line of a disassembly, as far as calls and the stack pointer are concerned.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mote {

struct Instruction {
  enum class Flow {
    next,    // goes on with the next one
    branch,  // may jump to target
    jump,    // jumps to target
    call,    // calls target
    indirect_call,
    indirect_jump,  // jump table, or a tail call through a pointer
    leave,          // returns
  };
  Flow flow = Flow::next;
  std::optional<uint64_t> target;
  int64_t stack_bytes = 0;            // taken from the stack pointer
  bool unknown_stack_change = false;  // writes the stack pointer in a way that is not understood
  bool padding = false;               // no instruction of the function: nop, data
};

// `mnemonic` and `operands` as objdump prints them.
[[nodiscard]] Instruction read_instruction(std::string_view architecture, std::string_view mnemonic,
                                           std::string_view operands);

}  // namespace mote
