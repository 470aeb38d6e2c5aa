// SPDX-License-Identifier: Apache-2.0
// A memory plan: which bytes of the arena each buffer holds, and when. Buffers know no graph.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/call.hpp"
#include "nn/strip.hpp"

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
// may not share a byte. In a segment, whose steps run many times, `during` are its steps: there the permission is
// for an output that is born and an input that dies in any of them.
struct Overlap {
  size_t output = 0, input = 0;
  int64_t distance = 0;        // bytes, may be negative
  Interval during = {-1, -1};  // none
};

struct PlacementProblem {
  std::vector<Buffer> buffers;
  std::vector<Overlap> overlaps;  // one a pair of buffers
};

// Are the two alive together only where the permission says?
[[nodiscard]] inline bool applies(const PlacementProblem& problem, const Overlap& overlap) {
  const int64_t birth = problem.buffers[overlap.output].live.first;
  const int64_t death = problem.buffers[overlap.input].live.last;
  if (overlap.during.first < 0) return birth == death;
  return birth >= overlap.during.first && death <= overlap.during.last;
}

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

// Segments: consecutive steps that run in turn, strip after strip of rows, so that tensors between them need not
// be whole. A row is an index of dimension 1 of a tensor whose dimension 0 is 1.

// A consumer of a window: how many of its own rows are done after a strip, and from which row of the window's
// tensor on it reads for those that follow.
struct StripReader {
  nn::RowCount done, low;
};

// A buffer with only those rows of a tensor that are still needed. Its first row is first_row(strip).
struct StripWindow {
  size_t buffer = 0;
  int64_t row_bytes = 0;
  nn::RowCount written = {};         // how many of the tensor's rows exist after a strip
  std::vector<StripReader> readers;  // one at least

  [[nodiscard]] int32_t first_row(int32_t strip) const {
    int32_t row = written.at(strip - 1);
    for (const StripReader& reader : readers) row = nn::fewer(row, reader.low.at(reader.done.at(strip - 1)));
    return row;
  }
};

constexpr size_t no_window = static_cast<size_t>(-1);

// Where an input or output of a step lies in a strip.
struct StripTensor {
  int64_t row_bytes = 0;      // 0: an output without rows, into all of which every strip folds its input's
  size_t window = no_window;  // of the segment's; else the buffer holds the whole tensor
};
struct StripInput {
  StripTensor tensor;
  nn::RowCount low = {}, high = {};  // rows [begin, end) of the output read rows [low.at(begin), high.at(end))
};

// A member of the kernel's parameters that differs from strip to strip: at least 0 and
// offset + factor * (the strip's output rows, or the rows that it reads of input `input`, or its first output row)
struct StripField {
  enum class Of { out_rows, in_rows, first_row };
  size_t field = 0;  // of Call::fields
  Of of = Of::out_rows;
  size_t input = 0;
  int64_t factor = 1, offset = 0;
};

// How a step of a segment runs: in strip s it computes rows [done.at(s - 1), done.at(s)), none if they are equal.
struct StripStep {
  nn::RowCount done = {};
  StripTensor out;
  std::vector<StripInput> in;  // one an input of the node; constants are left as they are
  std::vector<StripField> fields;
  // The host's kernels, and the values of `fields`, of each kind of strip; one strip is of kind kinds[strip].
  struct Kind {
    std::vector<std::string> values;
    std::function<void(std::span<void* const> pointers)> run;
  };
  std::vector<Kind> kinds;
  std::vector<size_t> kind_of_strip;  // no_kind: nothing to do
};
constexpr size_t no_kind = static_cast<size_t>(-1);

struct Segment {
  size_t first = 0, last = 0;  // steps
  int64_t strips = 0;
  std::vector<StripWindow> windows;
  std::vector<StripStep> steps;
  // One step split over cores: strip s is the part of core s, and the cores run at the same time.
  bool parallel = false;
  int64_t scratch_stride = 0;  // bytes from one core's scratch to the next one's
};

// Before step `step` the tensor in buffer `from` moves to buffer `to`, of the same size: `from` lives to the end
// of the step before, `to` from the beginning of this one. The two may lie anywhere, also over each other.
struct Move {
  size_t step = 0;
  size_t from = 0, to = 0;
};

struct Plan {
  std::vector<Buffer> buffers;
  std::vector<std::string> names;  // of the buffers: tensor names, or "scratch of NODE"
  std::vector<Overlap> overlaps;
  std::vector<Step> steps;
  std::vector<size_t> inputs, outputs;  // buffers of the graph's inputs and outputs
  std::vector<State> states;            // in the order of the graph's tensors
  std::vector<Segment> segments;        // in the order of their steps; a plan that streams has one arena
  std::vector<Move> moves;              // in the order of their steps; none into a segment, two before none
  std::vector<Arena> arenas;            // the fastest memory first; empty: one, in any memory
  int64_t arena_bytes = 0;              // of all arenas together
  int64_t lower_bound_bytes = 0;        // of one arena for all buffers
  int cores = 1;                        // 2: some segments may be parallel
  // The input comes by rows: its buffer has no bytes, step 0 copies the row at hand, and this buffer (4 bytes)
  // says how many rows came. no_buffer: the input lies in the arena before the first step.
  size_t rows_pushed = static_cast<size_t>(-1);
};

// At least one: {"", arena_bytes} where the plan names none.
[[nodiscard]] std::vector<Arena> arenas_of(const Plan& plan);

[[nodiscard]] inline bool streams_input(const Plan& plan) { return plan.rows_pushed != no_buffer; }

// Does some tensor exist by rows only, or move?
[[nodiscard]] bool streams(const Plan& plan);

// The proof of a whole plan: check() for every arena by itself, and that every buffer is in one.
void check_plan(const Plan& plan);

}  // namespace mote
