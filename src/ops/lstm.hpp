// SPDX-License-Identifier: Apache-2.0
// What is common to the parts of the LSTM operator: its inputs by name, its sizes, its options.
#pragma once

#include "ir/operator.hpp"

namespace mote::lstm {

// Where a .tflite file has the inputs. Gates come in the order input, forget, cell (the candidate), output.
constexpr size_t x = 0, input_weights = 1, recurrent_weights = 5, peephole = 9, bias = 12, projection = 16,
                 projection_bias = 17, output_state = 18, cell_state = 19, norm = 20, all_inputs = 24;
constexpr size_t gates = 4;

struct Options {
  float cell_clip = 0.0F, projection_clip = 0.0F;  // 0: none
  bool time_major = false;                         // [time][batch][depth] instead of [batch][time][depth]
};

struct Sizes {
  int64_t batches = 0, steps = 0, inputs = 0, units = 0, outputs = 0;
  int64_t batch_rows = 0, step_rows = 0;  // distance in rows between batches and between steps
};

[[nodiscard]] inline bool has(Inputs in, size_t index) { return index < in.size() && in[index] != nullptr; }

// The input gate is 1 - the forget gate.
[[nodiscard]] inline bool coupled(Inputs in) { return !has(in, input_weights); }

[[nodiscard]] Sizes sizes(Inputs in, const Options& options);

[[nodiscard]] Call lower(const Core& core, Inputs in, const Types& out, const Options& options);
[[nodiscard]] Reals reference(Inputs in, const Options& options, const Reals& x);

}  // namespace mote::lstm
