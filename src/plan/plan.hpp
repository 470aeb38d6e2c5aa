// SPDX-License-Identifier: Apache-2.0
// A memory plan: which bytes of the arena each buffer holds, and when. Buffers know no graph.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/call.hpp"

namespace mote {

// Steps are numbered from 0. A buffer lives from the start of step `first` to the end of step `last`, both
// included. Model inputs live from step 0; model outputs one step longer than the last: the caller reads them.
struct Interval {
  int64_t first = 0, last = 0;
};

struct Buffer {
  int64_t bytes = 0;
  int64_t align = 1;
  Interval live;
  int64_t offset = -1;  // in its arena; -1: not placed
  size_t arena = 0;     // index of Plan::arenas
};

// Permission for `output`, written by step s, to share bytes with `input`, whose last use is that same step s:
// allowed when offset(output) <= offset(input) + distance. Without a permission buffers that are alive in one step
// may not share a byte.
struct Overlap {
  size_t output = 0, input = 0;
  int64_t distance = 0;  // bytes, may be negative
};

struct PlacementProblem {
  std::vector<Buffer> buffers;
  std::vector<Overlap> overlaps;  // one a pair of buffers
};

struct Placement {
  std::vector<int64_t> offsets;  // one a buffer
  int64_t arena_bytes = 0;
};

// Finds offsets for all buffers; exact for small problems, near-exact for larger ones; deterministic
// (plan/place.cpp).
[[nodiscard]] Placement place(const PlacementProblem& problem);

// One a step: the bytes alive in it, with overlaps counted as far as they are permitted.
[[nodiscard]] std::vector<int64_t> step_bounds_bytes(const PlacementProblem& problem);

// No arena can be smaller: the largest set of bytes alive at once, with overlaps counted as far as they are
// permitted.
[[nodiscard]] int64_t lower_bound_bytes(const PlacementProblem& problem);

// Throws Error that names the two buffers unless every pair is disjoint in time, disjoint in bytes, or permitted;
// alignment and arena_bytes are checked too. Written independently of place() (plan/check.cpp).
void check(const PlacementProblem& problem, const Placement& placement);

constexpr size_t no_buffer = static_cast<size_t>(-1);

// One kernel call with its place in memory. Views have none: their output is the buffer of their input.
struct Step {
  size_t node = 0;  // index of graph.nodes
  Call call;
  std::vector<size_t> in, out;  // buffers of the node's arena inputs and outputs; no_buffer for constants
  size_t scratch = no_buffer;   // buffer, or no_buffer
};

// A buffer that keeps its bytes from one run to the next. It shares them with nobody.
struct State {
  size_t buffer = 0;
  size_t tensor = 0;  // index of graph.tensors; its data is the content before the first run
};

// One block of memory that the caller provides. A plan has one; several, where no memory holds all buffers.
struct Arena {
  std::string memory;  // name of the memory it is meant for; may be empty
  int64_t bytes = 0;
};

struct Plan {
  std::vector<Buffer> buffers;
  std::vector<std::string> names;  // of the buffers: tensor names, or "scratch of NODE"
  std::vector<Overlap> overlaps;
  std::vector<Step> steps;
  std::vector<size_t> inputs, outputs;  // buffers of the graph's inputs and outputs
  std::vector<State> states;            // in the order of the graph's tensors
  std::vector<Arena> arenas;            // the fastest memory first; empty: one, in any memory
  int64_t arena_bytes = 0;              // of all arenas together
  int64_t lower_bound_bytes = 0;        // of one arena for all buffers
};

// At least one: {"", arena_bytes} where the plan names none.
[[nodiscard]] std::vector<Arena> arenas_of(const Plan& plan);

// The proof of a whole plan: check() for every arena by itself, and that every buffer is in one.
void check_plan(const Plan& plan);

}  // namespace mote
