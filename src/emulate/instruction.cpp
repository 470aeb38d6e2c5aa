// SPDX-License-Identifier: Apache-2.0
#include "emulate/instruction.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "base/error.hpp"

namespace mote {
namespace {

using Flow = Instruction::Flow;

// "1a2b <name+0x10>" anywhere in the operands.
std::optional<uint64_t> symbolic_target(std::string_view operands) {
  const size_t bracket = operands.find(" <");
  if (bracket == std::string_view::npos) return std::nullopt;
  size_t begin = bracket;
  while (begin != 0 && std::isxdigit(static_cast<unsigned char>(operands[begin - 1]))) --begin;
  uint64_t address = 0;
  const auto [end, status] = std::from_chars(operands.data() + begin, operands.data() + bracket, address, 16);
  if (status != std::errc{} || end != operands.data() + bracket) return std::nullopt;
  return address;
}

std::vector<std::string_view> split_operands(std::string_view text) {
  text = text.substr(0, text.find('@'));  // ARM's comments
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(','), text.size());
    std::string_view part = text.substr(0, end);
    while (!part.empty() && (part.front() == ' ' || part.front() == '\t')) part.remove_prefix(1);
    while (!part.empty() && (part.back() == ' ' || part.back() == '\t')) part.remove_suffix(1);
    parts.push_back(part);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::optional<int64_t> number(std::string_view text) {
  if (text.starts_with('#')) text.remove_prefix(1);
  int64_t value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Instruction padding() {
  Instruction result;
  result.padding = true;
  return result;
}

template <size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& list) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

// "add sp, sp, -16": the third operand says by how much; a positive one gives back.
void add_to_stack_pointer(Instruction& instruction, std::string_view amount, int64_t sign) {
  const std::optional<int64_t> bytes = number(amount);
  if (!bytes)
    instruction.unknown_stack_change = true;
  else
    instruction.stack_bytes = std::max<int64_t>(0, sign * *bytes);
}

// libgcc's shared prologues (-msave-restore): called with the link in t0, they leave the caller's registers on the
// stack; those that save more than four take 64 bytes, if only for some instructions.
std::optional<int64_t> saved_bytes(std::string_view operands) {
  constexpr std::string_view marker = "<__riscv_save_";
  const size_t found = operands.find(marker);
  if (!operands.starts_with("t0,") || found == std::string_view::npos) return std::nullopt;
  const bool few = operands.size() == found + marker.size() + 2 && operands[found + marker.size()] <= '3';
  return few ? 16 : 64;
}

Instruction read_rv32(std::string_view mnemonic, std::string_view operands) {
  Instruction result;
  if (const std::optional<int64_t> saved = saved_bytes(operands)) {
    result.stack_bytes = *saved;
    return result;
  }
  if (operands.find("<__riscv_restore_") != std::string_view::npos && (mnemonic == "j" || mnemonic == "tail")) {
    result.flow = Flow::leave;
    return result;
  }
  const std::vector<std::string_view> parts = split_operands(operands);
  result.target = symbolic_target(operands);
  // A trap (__builtin_trap) is the end of its path as well.
  if (mnemonic == "ret" || (mnemonic == "jr" && operands == "ra") || mnemonic == "ebreak" || mnemonic == "unimp")
    result.flow = Flow::leave;
  else if (mnemonic == "jal")
    result.flow = Flow::call;
  else if (mnemonic == "jalr")
    result.flow = result.target ? Flow::call : Flow::indirect_call;
  else if (mnemonic == "j" || mnemonic == "tail")
    result.flow = Flow::jump;
  else if (mnemonic == "jr")
    result.flow = result.target ? Flow::jump : Flow::indirect_jump;
  else if (mnemonic.starts_with('b') && result.target)
    result.flow = Flow::branch;
  else if (mnemonic == "nop" || mnemonic == "unimp")
    result.padding = true;
  const bool store = mnemonic.starts_with('s') && operands.find('(') != std::string_view::npos;
  const bool compare = result.flow == Flow::branch;
  if (parts.size() >= 2 && parts[0] == "sp" && !store && !compare) {
    if ((mnemonic == "add" || mnemonic == "addi") && parts.size() == 3 && parts[1] == "sp") {
      add_to_stack_pointer(result, parts[2], -1);
    } else {
      result.unknown_stack_change = true;
    }
  }
  return result;
}

// Bytes of a register list: "{r4, r5, lr}", "{r4-r7}", "{d8-d9}", "{s16}".
std::optional<int64_t> register_list_bytes(std::string_view operands) {
  const size_t begin = operands.find('{'), end = operands.find('}');
  if (begin == std::string_view::npos || end == std::string_view::npos) return std::nullopt;
  int64_t bytes = 0;
  for (const std::string_view part : split_operands(operands.substr(begin + 1, end - begin - 1))) {
    const int64_t size = part.starts_with('d') ? 8 : 4;
    const size_t dash = part.find('-');
    if (dash == std::string_view::npos) {
      bytes += size;
    } else {
      const auto first = number(part.substr(1, dash - 1)), last = number(part.substr(dash + 2));
      if (!first || !last || *last < *first) return std::nullopt;
      bytes += size * (*last - *first + 1);
    }
  }
  return bytes;
}

void read_arm_push(Instruction& result, std::string_view operands) {
  const std::optional<int64_t> bytes = register_list_bytes(operands);
  if (bytes)
    result.stack_bytes = *bytes;
  else
    result.unknown_stack_change = true;
}

void read_arm_stack(Instruction& result, std::string_view mnemonic, std::string_view operands) {
  const std::vector<std::string_view> parts = split_operands(operands);
  const bool to_stack = operands.starts_with("sp!");
  if (mnemonic.starts_with("push") || mnemonic.starts_with("vpush") || (mnemonic == "stmdb" && to_stack)) {
    read_arm_push(result, operands);
  } else if (mnemonic.starts_with("str") && operands.find("[sp") != std::string_view::npos &&
             operands.ends_with("]!")) {
    std::string_view amount = operands.substr(operands.rfind('#'));
    amount.remove_suffix(2);
    add_to_stack_pointer(result, amount, -1);
  } else if (!parts.empty() && parts[0] == "sp" && mnemonic.starts_with("sub")) {
    add_to_stack_pointer(result, parts.back(), 1);
  } else if (!parts.empty() && parts[0] == "sp" && mnemonic.starts_with("add")) {
    add_to_stack_pointer(result, parts.back(), -1);
  } else if (!parts.empty() && parts[0] == "sp" && !mnemonic.starts_with("cmp") && !mnemonic.starts_with("str")) {
    result.unknown_stack_change = true;
  }
}

bool writes_pc(std::string_view mnemonic, std::string_view operands) {
  if (mnemonic.starts_with("pop") || mnemonic.starts_with("ldm"))
    return operands.find("pc}") != std::string_view::npos;
  return (mnemonic.starts_with("ldr") || mnemonic.starts_with("mov")) && operands.starts_with("pc,");
}

// The condition at the end of "bne" or "bxeq" leaves the instruction's own name.
bool is_arm_branch(std::string_view mnemonic) {
  constexpr std::array<std::string_view, 15> conditions{"eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc",
                                                        "hi", "ls", "ge", "lt", "gt", "le", "hs"};
  if (mnemonic == "cbz" || mnemonic == "cbnz") return true;
  return mnemonic.size() == 3 && mnemonic[0] == 'b' && is_one_of(mnemonic.substr(1), conditions);
}

Instruction read_arm(std::string_view full_mnemonic, std::string_view operands) {
  Instruction result;
  const std::string_view mnemonic = full_mnemonic.substr(0, full_mnemonic.find('.'));
  const bool zeros = mnemonic == "movs" && operands == "r0, r0";         // what the linker fills gaps with
  if (mnemonic.empty() || mnemonic == "nop" || zeros) return padding();  // ".word" and padding
  if (is_arm_branch(mnemonic))
    result.flow = Flow::branch;
  else if (mnemonic == "b")
    result.flow = Flow::jump;
  else if (mnemonic == "bl")
    result.flow = Flow::call;
  else if (mnemonic == "blx")
    result.flow = Flow::indirect_call;
  else if ((mnemonic == "bx" && operands == "lr") || mnemonic == "udf")  // udf: __builtin_trap
    result.flow = Flow::leave;
  else if (mnemonic == "bx" || mnemonic == "tbb" || mnemonic == "tbh")
    result.flow = Flow::indirect_jump;
  else if (writes_pc(mnemonic, operands)) {
    const bool from_stack = mnemonic.starts_with("pop") || operands.find("sp") != std::string_view::npos;
    result.flow = from_stack ? Flow::leave : Flow::indirect_jump;
  }
  if (result.flow != Flow::next) result.target = symbolic_target(operands);
  if (result.flow == Flow::indirect_call && result.target) result.flow = Flow::call;
  read_arm_stack(result, mnemonic, operands);
  return result;
}

Instruction read_lx106(std::string_view full_mnemonic, std::string_view operands) {
  Instruction result;
  const std::string_view mnemonic = full_mnemonic.substr(0, full_mnemonic.find('.'));
  const std::vector<std::string_view> parts = split_operands(operands);
  const bool no_operation = mnemonic == "nop" || (mnemonic == "or" && operands == "a1, a1, a1");
  if (mnemonic.empty() || mnemonic == "ill" || no_operation) return padding();
  if (mnemonic == "ret")
    result.flow = Flow::leave;
  else if (mnemonic == "call0")
    result.flow = Flow::call;
  else if (mnemonic == "callx0")
    result.flow = Flow::indirect_call;
  else if (mnemonic == "j")
    result.flow = Flow::jump;
  else if (mnemonic == "jx")
    result.flow = operands == "a0" ? Flow::leave : Flow::indirect_jump;
  else if (mnemonic.starts_with('b'))
    result.flow = Flow::branch;
  if (result.flow != Flow::next) result.target = symbolic_target(operands);
  const bool store = mnemonic.starts_with('s') && mnemonic.find('i') != std::string_view::npos;
  if (result.flow == Flow::next && !store && !parts.empty() && parts[0] == "a1") {
    if ((mnemonic == "addi" || mnemonic == "addmi") && parts.size() == 3 && parts[1] == "a1") {
      add_to_stack_pointer(result, parts[2], -1);
    } else {
      result.unknown_stack_change = true;
    }
  }
  return result;
}

}  // namespace

Instruction read_instruction(std::string_view architecture, std::string_view mnemonic, std::string_view operands) {
  if (architecture == "rv32") return read_rv32(mnemonic, operands);
  if (architecture == "cortex-m") return read_arm(mnemonic, operands);
  if (architecture == "lx106") return read_lx106(mnemonic, operands);
  fail("internal: no reader of instructions for {}", architecture);
}

}  // namespace mote
