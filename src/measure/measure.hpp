// SPDX-License-Identifier: Apache-2.0
// Runs a compiled model on a target, the simulator or an emulated core, and says what it cost.
#pragma once

#include <optional>
#include <vector>

#include "codegen/codegen.hpp"
#include "compile/compile.hpp"
#include "target/target.hpp"

namespace mote {

// Code that is there once for the steps that use it, perhaps for one: an instance of a kernel, a copy of it for
// equal parameters, a function that kernels call, a member of a library.
struct SharedCode {
  std::string name;  // "conv2d_4x4_s8"; a copy: "digits_step3_copy"; a member: "_divsf3.o"
  int64_t code_bytes = 0;
  std::vector<size_t> steps;
  bool is_kernel = false;  // what its steps are, not what they call
};

// What linking a model into a firmware shows without running it.
struct Sizes {
  int64_t code_bytes = 0;  // text, rodata and libgcc that the model needs; weights and harness not
  int64_t weight_bytes = 0;
  int64_t harness_bytes = 0;
  int64_t stack_bound_bytes = 0;  // no run can use more
  int64_t library_ram_bytes =
      0;  // variables of library routines that the model calls: 0 unless libm keeps an errno
  // By step: the code that it has for itself, 0 where it has none, and the stack down to the deepest point of it.
  std::vector<int64_t> step_code_bytes, step_stack_bytes;
  std::vector<SharedCode> shared_code;
};

struct Measurement {
  std::vector<std::vector<Bytes>> outputs;  // [case][output]
  std::vector<int64_t> instructions;        // per case; empty for the host
  std::vector<int64_t> step_instructions;  // of the first case; empty unless profiled. On two cores: of the slower
  // On two cores, of the first case: what each core executes, waits not counted, in all and step by step.
  std::vector<int64_t> core_instructions;
  std::vector<std::vector<int64_t>> core_step_instructions;  // [core][step]
  std::optional<Sizes> sizes;                                // absent for the host
  std::optional<int64_t> stack_peak_bytes;                   // painted, the largest of all cases
  std::optional<int64_t> stack_total_bytes;
};

// The compiler works for size where kernels are shared, for speed where layers have their own copies.
[[nodiscard]] std::string compiler_flags(const Target& target, Mode mode);

// inputs: [case][input], raw bytes. Every case begins with the model's initial state, except those of which
// `continues` is true: they go on from the state that their forerunner left. Throws Error when a tool is missing,
// an input has a wrong size or the run fails.
[[nodiscard]] Measurement measure(const Compiled& model, const Target& target, Mode mode,
                                  const std::vector<std::vector<Bytes>>& inputs, bool profile,
                                  const std::vector<bool>& continues = {});

// Compiles and links only. nullopt for the host.
[[nodiscard]] std::optional<Sizes> measure_sizes(const Compiled& model, const Target& target, Mode mode);

// The second half of check_fits(compiled, limits), once the cross compiler has spoken: arena and stack against
// RAM, weights and code against flash. Throws Error that says by how much a limit is exceeded.
void check_fits(const Compiled& model, const Sizes& sizes, const Limits& limits);

}  // namespace mote
