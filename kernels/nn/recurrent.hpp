// SPDX-License-Identifier: Apache-2.0
// A layer of recurrent cells in one direction over a whole sequence, in float: RNN, GRU and LSTM as ONNX defines
// them.
#pragma once

#include <string.h>

#include "nn/lstm.hpp"

namespace nn {

struct Recurrent {
  int32_t batches, steps;
  int32_t in_batch_rows, in_step_rows;    // from one batch, one time step, to the next, in rows of the input
  int32_t out_batch_rows, out_step_rows;  // and of the output; both 0: each step overwrites the one before
  int32_t inputs, units;
  int32_t gate, candidate, squash;  // activations: of the gates, of the new content, of the LSTM's cell
  bool reverse;                     // the last step comes first
  bool reset_after;                 // GRU: the reset gate acts behind the recurrent product, not before it

  template <class F>
  constexpr void fields(F&& f) const {
    f("batches", batches), f("steps", steps);
    f("in_batch_rows", in_batch_rows), f("in_step_rows", in_step_rows);
    f("out_batch_rows", out_batch_rows), f("out_step_rows", out_step_rows);
    f("inputs", inputs), f("units", units);
    f("gate", gate), f("candidate", candidate), f("squash", squash);
    f("reverse", reverse), f("reset_after", reset_after);
  }
};

// Numbers of activations: logistic, tanh, ReLU.
inline __attribute__((noinline)) float recurrent_activation(int32_t which, float x) {
  if (which == 0) return sigmoid_of(x);
  if (which == 1) return 1.0f - 2.0f / (1.0f + exp_f32(2.0f * x));
  return x > 0.0f ? x : 0.0f;
}

// Rows of `weights` (`depth` wide) times x, plus what `sums` begin with.
inline __attribute__((noinline)) void accumulate_rows_f32(const float* x, int32_t depth, const float* weights,
                                                          int32_t rows, float* sums) {
  MOTE_HAS_EFFECTS;
  for (int32_t row = 0; row < rows; ++row, weights += depth) sums[row] = dot_f32(x, weights, depth, sums[row]);
}

MOTE_KERNEL void add_products_f32(float* sums, const float* a, const float* b, int32_t count) {
  for (int32_t i = 0; i < count; ++i) sums[i] += a[i] * b[i];
}

// Copies the initial state, or zeros where there is none.
MOTE_KERNEL void start_state_f32(const float* initial, int32_t count, float* state) {
  if (initial != nullptr) {
    memcpy(state, initial, static_cast<size_t>(count) * sizeof(float));
  } else {
    memset(state, 0, static_cast<size_t>(count) * sizeof(float));
  }
}

// Calls step(x, h, cell, y) for each batch and each time step, in their order; y is the new h.
template <class Step>
MOTE_KERNEL void for_each_step(const Recurrent& p, const float* in, float* h, float* cell, float* y, Step step) {
  for (int32_t batch = 0; batch < p.batches; ++batch, h += p.units) {
    for (int32_t turn = 0; turn < p.steps; ++turn) {
      const int32_t time = p.reverse ? p.steps - 1 - turn : turn;
      float* const row = y + (batch * p.out_batch_rows + time * p.out_step_rows) * p.units;
      step(in + (batch * p.in_batch_rows + time * p.in_step_rows) * p.inputs, h, cell, row);
      memcpy(h, row, static_cast<size_t>(p.units) * sizeof(float));
    }
    if (cell != nullptr) cell += p.units;
  }
}

// weights: [units][inputs], recurrent: [units][units]. y: the sequence, or one row where nobody wants it. h: the
// last state.
MOTE_KERNEL void rnn_f32(const Recurrent& p, const float* in, const float* weights, const float* recurrent,
                         const float* bias, const float* initial, float* y, float* h) {
  start_state_f32(initial, p.batches * p.units, h);
  for_each_step(p, in, h, nullptr, y, [&](const float* x, float* state, float*, float* row) MOTE_INLINE {
    memcpy(row, bias, static_cast<size_t>(p.units) * sizeof(float));
    accumulate_rows_f32(x, p.inputs, weights, p.units, row);
    accumulate_rows_f32(state, p.units, recurrent, p.units, row);
    for (int32_t i = 0; i < p.units; ++i) row[i] = recurrent_activation(p.candidate, row[i]);
  });
}

// Gates in the order update, reset, candidate. bias: of the three, then what belongs to the candidate's recurrent
// product when the reset gate acts behind it. gates: scratch of four vectors and a row, which is y's where y
// begins with gates: nobody wants it.
MOTE_KERNEL void gru_f32(const Recurrent& p, const float* in, const float* weights, const float* recurrent,
                         const float* bias, const float* initial, float* gates, float* y, float* h) {
  const int32_t n = p.units;
  start_state_f32(initial, p.batches * n, h);
  for_each_step(p, in, h, nullptr, y != gates ? y : gates + 4 * n,
                [&](const float* x, float* state, float*, float* row) MOTE_INLINE {
                  float *const update = gates, *const reset = gates + n, *const content = gates + 2 * n,
                               *const fed = gates + 3 * n;
                  memcpy(gates, bias, static_cast<size_t>(p.reset_after ? 4 * n : 3 * n) * sizeof(float));
                  accumulate_rows_f32(x, p.inputs, weights, 3 * n, gates);
                  accumulate_rows_f32(state, n, recurrent, 2 * n, gates);
                  for (int32_t i = 0; i < 2 * n; ++i) gates[i] = recurrent_activation(p.gate, gates[i]);
                  const float* const candidate_weights = recurrent + 2 * n * n;
                  if (p.reset_after) {
                    accumulate_rows_f32(state, n, candidate_weights, n, fed);
                    add_products_f32(content, reset, fed, n);
                  } else {
                    for (int32_t i = 0; i < n; ++i) fed[i] = reset[i] * state[i];
                    accumulate_rows_f32(fed, n, candidate_weights, n, content);
                  }
                  for (int32_t i = 0; i < n; ++i) {
                    const float fresh = recurrent_activation(p.candidate, content[i]);
                    row[i] = fresh + update[i] * (state[i] - fresh);
                  }
                });
}

// Gates in the order input, forget, output, candidate. peephole: of input, forget and output gate, or nullptr.
// gates and y as above. cell: the last cell state.
MOTE_KERNEL void lstm_sequence_f32(const Recurrent& p, const float* in, const float* weights,
                                   const float* recurrent, const float* bias, const float* peephole,
                                   const float* initial, const float* initial_cell, float* gates, float* y,
                                   float* h, float* cell) {
  const int32_t n = p.units;
  start_state_f32(initial, p.batches * n, h);
  start_state_f32(initial_cell, p.batches * n, cell);
  for_each_step(
      p, in, h, cell, y != gates ? y : gates + 4 * n,
      [&](const float* x, float* state, float* content, float* row) MOTE_INLINE {
        memcpy(gates, bias, static_cast<size_t>(4 * n) * sizeof(float));
        accumulate_rows_f32(x, p.inputs, weights, 4 * n, gates);
        accumulate_rows_f32(state, n, recurrent, 4 * n, gates);
        if (peephole != nullptr) {
          add_products_f32(gates, content, peephole, n);
          add_products_f32(gates + n, content, peephole + n, n);
        }
        for (int32_t i = 0; i < n; ++i) {
          const float added =
              recurrent_activation(p.gate, gates[i]) * recurrent_activation(p.candidate, gates[3 * n + i]);
          content[i] = recurrent_activation(p.gate, gates[n + i]) * content[i] + added;
        }
        if (peephole != nullptr) add_products_f32(gates + 2 * n, content, peephole + 2 * n, n);
        for (int32_t i = 0; i < n; ++i) {
          row[i] = recurrent_activation(p.gate, gates[2 * n + i]) * recurrent_activation(p.squash, content[i]);
        }
      });
}

}  // namespace nn
