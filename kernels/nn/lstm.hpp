// SPDX-License-Identifier: Apache-2.0
// A layer of LSTM cells over a sequence, with state that lives on from call to call.
#pragma once

#include <string.h>

#include "nn/dot_f32.hpp"
#include "nn/fixed_sigmoid.hpp"
#include "nn/float_math.hpp"
#include "nn/four_rows.hpp"

namespace nn {

struct Lstm {
  int32_t batches, steps;
  int32_t batch_rows, step_rows;  // from one batch, one time step, to the next, in rows of input and output
  int32_t inputs, units;
  int32_t cell_low, cell_high;                  // the clip of the cell state
  int32_t tanh_multiplier, tanh_shift;          // of the cell state to 3 * Q4.12
  int32_t forget_multiplier, forget_shift;      // forget gate times cell to cell
  int32_t update_multiplier, update_shift;      // input gate times candidate to cell
  int32_t out_multiplier, out_shift, out_zero;  // output gate times tanh of the cell to the output

  template <class F>
  constexpr void fields(F&& f) const {
    f("batches", batches), f("steps", steps), f("batch_rows", batch_rows), f("step_rows", step_rows);
    f("inputs", inputs), f("units", units), f("cell_low", cell_low), f("cell_high", cell_high);
    f("tanh_multiplier", tanh_multiplier), f("tanh_shift", tanh_shift);
    f("forget_multiplier", forget_multiplier), f("forget_shift", forget_shift);
    f("update_multiplier", update_multiplier), f("update_shift", update_shift);
    f("out_multiplier", out_multiplier), f("out_shift", out_shift), f("out_zero", out_zero);
  }
};

inline __attribute__((noinline)) int32_t scale_to_16_bits(int32_t x, int32_t multiplier, int32_t shift) {
  return clamp(multiply_by_quantized_multiplier(x, multiplier, shift), -32768, 32767);
}

// One unit: the gates' sums over input and state, then cell and output. Gates in the order input, forget, output,
// candidate.
MOTE_KERNEL int8_t lstm_unit_s8(const Lstm& p, const int32_t* from_input, const int32_t* from_state,
                                const int32_t* scales, const uint16_t* sigmoid, int16_t* cell) {
  int32_t gates[4];
  for (int g = 0; g < 4; ++g, scales += 4) {
    const int32_t sum = scale_to_16_bits(from_input[g], scales[0], scales[1]) +
                        scale_to_16_bits(from_state[g], scales[2], scales[3]);
    const int32_t times_3 = 3 * clamp(sum, -32768, 32767);
    gates[g] = g < 3 ? table_sigmoid(sigmoid, times_3) : table_tanh(sigmoid, times_3);
  }
  const int32_t kept = scale_to_16_bits(gates[1] * *cell, p.forget_multiplier, p.forget_shift);
  const int32_t added = scale_to_16_bits(gates[0] * gates[3], p.update_multiplier, p.update_shift);
  const int32_t updated = clamp(clamp(kept + added, -32768, 32767), p.cell_low, p.cell_high);
  *cell = static_cast<int16_t>(updated);
  const int32_t half = p.tanh_shift > 0 ? 1 << (p.tanh_shift - 1) : 0;
  const int32_t squashed = table_tanh(sigmoid, (updated * p.tanh_multiplier + half) >> p.tanh_shift);
  const int32_t output = multiply_by_quantized_multiplier(squashed * gates[2], p.out_multiplier, p.out_shift);
  return static_cast<int8_t>(clamp(output + p.out_zero, -128, 127));
}

// weights: for each unit, first the four gates' weights of the inputs, then those of the state, in the order of
// `Rows`. sums: for each unit and gate, where the sums over input and over state start. scales:
// for each gate multiplier and shift of the sum over the input, then over the state.
template <class Rows>
MOTE_KERNEL void lstm_of_bytes(const Lstm& p, const int8_t* in, const int8_t* weights, const int32_t* sums,
                               const int32_t* scales, const uint16_t* sigmoid, int8_t* state, int16_t* cell,
                               int8_t* out) {
  for (int32_t batch = 0; batch < p.batches; ++batch) {
    for (int32_t step = 0; step < p.steps; ++step) {
      const int32_t row = batch * p.batch_rows + step * p.step_rows;
      int8_t* const y = out + row * p.units;
      const int8_t* w = weights;
      for (int32_t unit = 0; unit < p.units; ++unit) {
        int32_t from_input[4], from_state[4];
        w = Rows::multiply(in + row * p.inputs, p.inputs, w, sums + 8 * unit, from_input);
        w = Rows::multiply(state, p.units, w, sums + 8 * unit + 1, from_state);
        y[unit] = lstm_unit_s8(p, from_input, from_state, scales, sigmoid, cell + unit);
      }
      memcpy(state, y, static_cast<size_t>(p.units));
    }
    state += p.units;
    cell += p.units;
  }
}

MOTE_KERNEL void lstm_s8(const Lstm& p, const int8_t* in, const int8_t* weights, const int32_t* sums,
                         const int32_t* scales, const uint16_t* sigmoid, int8_t* state, int16_t* cell,
                         int8_t* out) {
  lstm_of_bytes<ScalarRows>(p, in, weights, sums, scales, sigmoid, state, cell, out);
}
MOTE_KERNEL void lstm_paired_s8(const Lstm& p, const int8_t* in, const int8_t* weights, const int32_t* sums,
                                const int32_t* scales, const uint16_t* sigmoid, int8_t* state, int16_t* cell,
                                int8_t* out) {
  lstm_of_bytes<PairedRows>(p, in, weights, sums, scales, sigmoid, state, cell, out);
}
MOTE_KERNEL void lstm_vector_s8(const Lstm& p, const int8_t* in, const int8_t* weights, const int32_t* sums,
                                const int32_t* scales, const uint16_t* sigmoid, int8_t* state, int16_t* cell,
                                int8_t* out) {
  lstm_of_bytes<VectorRows>(p, in, weights, sums, scales, sigmoid, state, cell, out);
}

struct LstmFloat {
  int32_t batches, steps;
  int32_t batch_rows, step_rows;
  int32_t inputs, units, outputs;  // outputs: units, or those of the projection
  int32_t coupled;                 // 1: the input gate is 1 - forget gate
  float cell_clip, projection_clip;

  template <class F>
  constexpr void fields(F&& f) const {
    f("batches", batches), f("steps", steps), f("batch_rows", batch_rows), f("step_rows", step_rows);
    f("inputs", inputs), f("units", units), f("outputs", outputs), f("coupled", coupled);
    f("cell_clip", cell_clip), f("projection_clip", projection_clip);
  }
};

inline __attribute__((noinline)) float sigmoid_of(float x) { return 1.0f / (1.0f + exp_f32(-x)); }
MOTE_KERNEL float tanh_of(float x) { return 2.0f * sigmoid_of(2.0f * x) - 1.0f; }

// To mean 0 and variance 1, then times `factors` plus `bias`.
MOTE_KERNEL void normalize_f32(float* values, int32_t count, const float* factors, const float* bias) {
  float sum = 0.0f, squares = 0.0f;
  for (int32_t i = 0; i < count; ++i) sum += values[i];
  const float mean = sum / static_cast<float>(count);
  for (int32_t i = 0; i < count; ++i) squares += (values[i] - mean) * (values[i] - mean);
  const float variance = squares / static_cast<float>(count) + 1e-8f;
  const float scale = exp_f32(-0.5f * log_f32(variance));
  for (int32_t i = 0; i < count; ++i) values[i] = (values[i] - mean) * scale * factors[i] + bias[i];
}

// One gate of all units before its activation. weights: a row a unit, the inputs' before the state's.
inline __attribute__((noinline)) void lstm_gate_f32(const LstmFloat& p, const float* x, const float* state,
                                                    const float* cell, const float* weights, const float* bias,
                                                    const float* peephole, const float* norm, float* gate) {
  MOTE_HAS_EFFECTS;
  for (int32_t unit = 0; unit < p.units; ++unit) {
    float sum = dot_f32(x, weights, p.inputs, norm != nullptr ? 0.0f : bias[unit]);
    sum = dot_f32(state, weights + p.inputs, p.outputs, sum);
    if (peephole != nullptr) sum += cell[unit] * peephole[unit];
    weights += p.inputs + p.outputs;
    gate[unit] = sum;
  }
  if (norm != nullptr) normalize_f32(gate, p.units, norm, bias);
}

// The new cell state of all units, from forget gate, candidate and input gate.
MOTE_KERNEL void lstm_cell_f32(const LstmFloat& p, const float* gates, float* cell) {
  for (int32_t unit = 0; unit < p.units; ++unit) {
    const float forget = sigmoid_of(gates[unit]), candidate = tanh_of(gates[p.units + unit]);
    const float input = p.coupled != 0 ? 1.0f - forget : sigmoid_of(gates[2 * p.units + unit]);
    const float updated = forget * cell[unit] + input * candidate;
    cell[unit] = p.cell_clip > 0.0f ? clamp_f32(updated, -p.cell_clip, p.cell_clip) : updated;
  }
}

MOTE_KERNEL void project_f32(const LstmFloat& p, const float* hidden, const float* weights, const float* bias,
                             float* out) {
  for (int32_t i = 0; i < p.outputs; ++i, weights += p.units) {
    const float sum = dot_f32(hidden, weights, p.units, bias != nullptr ? bias[i] : 0.0f);
    out[i] = p.projection_clip > 0.0f ? clamp_f32(sum, -p.projection_clip, p.projection_clip) : sum;
  }
}

// Gates in the order output, forget, candidate, input (the last not there when coupled): weights, bias, norm
// (nullptr: none). peephole: output, forget, candidate (zeros), input; nullptr: none. gates: scratch for a value a
// gate and unit.
MOTE_KERNEL void lstm_f32(const LstmFloat& p, const float* in, const float* weights, const float* bias,
                          const float* peephole, const float* norm, const float* projection,
                          const float* projection_bias, float* state, float* cell, float* gates, float* out) {
  const int32_t gate_weights = p.units * (p.inputs + p.outputs);
  const int32_t gate_count = p.coupled != 0 ? 3 : 4;
  for (int32_t batch = 0; batch < p.batches; ++batch) {
    for (int32_t step = 0; step < p.steps; ++step) {
      const int32_t row = batch * p.batch_rows + step * p.step_rows;
      float* const y = out + row * p.outputs;
      // The output gate comes last: its peephole sees the new cell state.
      for (int32_t turn = 1; turn <= gate_count; ++turn) {
        const int32_t g = turn == gate_count ? 0 : turn;
        if (g == 0) lstm_cell_f32(p, gates + p.units, cell);
        lstm_gate_f32(p, in + row * p.inputs, state, cell, weights + g * gate_weights, bias + g * p.units,
                      peephole != nullptr ? peephole + g * p.units : nullptr,
                      norm != nullptr ? norm + g * p.units : nullptr, gates + g * p.units);
      }
      float* const hidden = projection != nullptr ? gates : y;
      for (int32_t unit = 0; unit < p.units; ++unit) {
        hidden[unit] = sigmoid_of(gates[unit]) * tanh_of(cell[unit]);
      }
      if (projection != nullptr) project_f32(p, hidden, projection, projection_bias, y);
      memcpy(state, y, static_cast<size_t>(p.outputs) * sizeof(float));
    }
    state += p.outputs;
    cell += p.units;
  }
}

}  // namespace nn
