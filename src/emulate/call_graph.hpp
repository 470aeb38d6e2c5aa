// SPDX-License-Identifier: Apache-2.0
// Who calls whom, and how much stack each function takes, from a program's disassembly and gcc's own figures.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mote {

// What a compiler says about one function.
struct CompilerFrame {
  int64_t bytes = 0;
  bool bounded = true;  // false: alloca or an array of variable length
  bool indirect_calls = false;
  bool exact = true;  // false: the code may take more, such as a library's routine that saves registers
};

// By the symbol's name in the object: gcc's -fcallgraph-info=su, and clang's -fstack-usage. Both add to `frames`.
void read_stack_usage(std::string_view text, std::map<std::string, CompilerFrame, std::less<>>& frames);
void read_callgraph_info(std::string_view text, std::map<std::string, CompilerFrame, std::less<>>& frames);

enum class EdgeKind {
  call,       // returns here
  jump,       // goes there with this function's frame still in place
  tail_call,  // goes there after this function's frame was removed
};

struct CallEdge {
  size_t target = 0;  // index of the function
  EdgeKind kind = EdgeKind::call;
};

struct Function {
  std::string name;
  int64_t frame_bytes = 0;
  std::string problem;  // why its stack use is not known; empty: it is
  std::vector<CallEdge> edges;
  uint64_t address = 0;
};

// `disassembly` is what objdump -d --no-show-raw-insn prints for a linked program of that architecture (a folder
// of firmware/). Functions without a compiler's figure (libgcc, libm, libc) get the sum of all that they take from
// the stack pointer anywhere, which no path can exceed; so do functions of which the compiler says that they take
// nothing: their assembly may. A jump through a register is taken for a jump table, unless gcc knows better.
[[nodiscard]] std::vector<Function> read_call_graph(
    std::string_view disassembly, std::string_view architecture,
    const std::map<std::string, CompilerFrame, std::less<>>& frames);

// The most bytes that the stack can grow below the caller of `entry`. Throws Error that names the chain when there
// is recursion, a call through a pointer, or a frame of unknown size.
[[nodiscard]] int64_t stack_bound(const std::vector<Function>& functions, std::string_view entry);

// The same along chains that go through the function with index `via`; nullopt: there are none.
[[nodiscard]] std::optional<int64_t> stack_bound_through(const std::vector<Function>& functions,
                                                         std::string_view entry, size_t via);

// Indices of `entry` and of everything that it calls, sorted.
[[nodiscard]] std::vector<size_t> reachable(const std::vector<Function>& functions, size_t entry);

}  // namespace mote
