// SPDX-License-Identifier: Apache-2.0
#include "ops/lstm.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "nn/lstm.hpp"
#include "ops/checks.hpp"
#include "ops/four_rows.hpp"
#include "ops/quantize_multiplier.hpp"
#include "ops/sigmoid_table.hpp"

namespace mote::lstm {

namespace {

constexpr double gate_scale = 1.0 / 4096;        // of a gate before its activation, Q3.12
constexpr double activated_scale = 1.0 / 32768;  // and behind it, Q0.15
constexpr size_t packed_gates[] = {0, 1, 3, 2};  // the integer kernel's order: input, forget, output, candidate
constexpr size_t float_gates[] = {3, 1, 2, 0};   // the float kernel's: output, forget, candidate, input

FixedMultiplier gate_multiplier(const TensorType& values, const TensorType& weights) {
  const float product = tensor_scale(values, "input") * tensor_scale(weights, "weights");
  return quantize_multiplier(static_cast<double>(product) / gate_scale);
}

// The exponent of the cell state's scale.
int cell_exponent(const TensorType& cell) {
  int exponent = 0;
  const float fraction = std::frexp(tensor_scale(cell, "cell state"), &exponent);
  require(fraction == 0.5F && tensor_zero(cell, "cell state") == 0,
          "has a cell state of scale {} and zero point {}; they must be a power of two and 0, convert again",
          tensor_scale(cell, "cell state"), tensor_zero(cell, "cell state"));
  return exponent - 1;
}

nn::Lstm integer_parameters(Inputs in, const Types& out, const Options& options) {
  const Sizes s = sizes(in, options);
  const double cell = static_cast<double>(tensor_scale(in[cell_state]->type, "cell state"));
  const int shift = 12 + cell_exponent(in[cell_state]->type);
  const FixedMultiplier forget = quantize_multiplier(activated_scale);
  const FixedMultiplier update = quantize_multiplier(activated_scale * activated_scale / cell);
  const FixedMultiplier result =
      quantize_multiplier(activated_scale * activated_scale / static_cast<double>(tensor_scale(out[0], "output")));
  require(shift >= -15 && shift <= 12, "has a cell state of scale {}, which is out of reach; convert again", cell);
  nn::Lstm p{};
  p.batches = narrow<int32_t>(s.batches), p.steps = narrow<int32_t>(s.steps);
  p.batch_rows = narrow<int32_t>(s.batch_rows), p.step_rows = narrow<int32_t>(s.step_rows);
  p.inputs = narrow<int32_t>(s.inputs), p.units = narrow<int32_t>(s.units);
  p.cell_low = -32768, p.cell_high = 32767;
  if (options.cell_clip > 0.0F) {
    p.cell_high = static_cast<int32_t>(std::min(static_cast<double>(options.cell_clip) / cell, 32767.0));
    p.cell_low = -p.cell_high;
  }
  p.tanh_multiplier = shift > 0 ? 3 << shift : 3, p.tanh_shift = std::max(-shift, 0);
  p.forget_multiplier = forget.multiplier, p.forget_shift = forget.shift;
  p.update_multiplier = update.multiplier, p.update_shift = update.shift;
  p.out_multiplier = result.multiplier, p.out_shift = result.shift;
  p.out_zero = tensor_zero(out[0], "output");
  return p;
}

// Where the sum over `row` starts when the values' zero point is taken off beforehand.
int32_t folded_start(std::span<const int8_t> row, int32_t zero, int64_t start) {
  int64_t sum = 0, magnitude = 0;
  for (const int8_t weight : row) sum += weight, magnitude += std::abs(static_cast<int64_t>(weight));
  require(std::abs(start) + magnitude * 256 <= INT32_MAX, "has a bias of {}, too large for 32-bit sums", start);
  return static_cast<int32_t>(start - zero * sum);
}

struct Packed {
  std::vector<int8_t> weights;
  std::vector<int32_t> sums, scales;
};

Packed pack(Inputs in, op::FourRows order) {
  Packed packed;
  std::array<std::vector<int8_t>, gates> from_input, from_state;
  std::array<std::vector<int32_t>, gates> biases;
  for (size_t g = 0; g < gates; ++g) {
    const Tensor& weights = *in[input_weights + packed_gates[g]];
    const Tensor& recurrent = *in[recurrent_weights + packed_gates[g]];
    from_input[g] = to_values<int8_t>(weights.data);
    from_state[g] = to_values<int8_t>(recurrent.data);
    biases[g] = to_values<int32_t>(in[bias + packed_gates[g]]->data);
    for (const FixedMultiplier& fixed :
         {gate_multiplier(in[x]->type, weights.type), gate_multiplier(in[output_state]->type, recurrent.type)}) {
      packed.scales.push_back(fixed.multiplier);
      packed.scales.push_back(fixed.shift);
    }
  }
  const size_t units = biases[0].size();
  const int32_t zero = tensor_zero(in[x]->type, "input");
  const int32_t state_zero = tensor_zero(in[output_state]->type, "state");
  for (size_t unit = 0; unit < units; ++unit) {
    std::array<std::span<const int8_t>, gates> input_rows, state_rows;
    for (size_t g = 0; g < gates; ++g) {
      const size_t inputs = from_input[g].size() / units;
      input_rows[g] = std::span(from_input[g]).subspan(unit * inputs, inputs);
      state_rows[g] = std::span(from_state[g]).subspan(unit * units, units);
      packed.sums.push_back(folded_start(input_rows[g], zero, biases[g][unit]));
      packed.sums.push_back(folded_start(state_rows[g], state_zero, 0));
    }
    op::pack_four_rows(order, input_rows, packed.weights);
    op::pack_four_rows(order, state_rows, packed.weights);
  }
  op::end_four_rows(order, packed.weights);
  return packed;
}

Call lower_s8(const Core& core, Inputs in, const Types& out, const Options& options) {
  const op::FourRows order = op::four_rows_for(core);
  const auto make = [&](auto kernel, const char* function) {
    return make_call(kernel, function, "nn/lstm.hpp", "Lstm", integer_parameters(in, out, options),
                     {input(x), constant(0), constant(1), constant(2), constant(3), state(output_state),
                      state(cell_state), output(0)});
  };
  Call call = order == op::FourRows::vector   ? make(nn::lstm_vector_s8, "lstm_vector_s8")
              : order == op::FourRows::paired ? make(nn::lstm_paired_s8, "lstm_paired_s8")
                                              : make(nn::lstm_s8, "lstm_s8");
  const Packed packed = pack(in, order);
  call.constants = {{"weights", DType::i8, to_bytes(packed.weights)},
                    {"sums", DType::i32, to_bytes(packed.sums)},
                    {"scales", DType::i32, to_bytes(packed.scales)},
                    op::sigmoid_table()};
  return call;
}

void append(Bytes& bytes, ByteSpan more) { bytes.insert(bytes.end(), more.begin(), more.end()); }

// Rows of a gate's weights: the inputs' before the state's.
Bytes float_weights(Inputs in, const Sizes& s) {
  Bytes bytes;
  const auto input_row = static_cast<size_t>(s.inputs) * sizeof(float);
  const auto state_row = static_cast<size_t>(s.outputs) * sizeof(float);
  for (const size_t gate : float_gates) {
    if (gate == 0 && coupled(in)) continue;
    for (size_t unit = 0; unit < static_cast<size_t>(s.units); ++unit) {
      append(bytes, ByteSpan(in[input_weights + gate]->data).subspan(unit * input_row, input_row));
      append(bytes, ByteSpan(in[recurrent_weights + gate]->data).subspan(unit * state_row, state_row));
    }
  }
  return bytes;
}

// One vector a gate, from the four inputs at `first`; empty when none of them is there.
Bytes float_vectors(Inputs in, size_t first, const Sizes& s) {
  Bytes bytes;
  if (!has(in, first + 3)) return bytes;
  for (const size_t gate : float_gates) {
    if (gate == 0 && coupled(in)) continue;
    append(bytes, in[first + gate]->data);
  }
  require(bytes.size() % (static_cast<size_t>(s.units) * sizeof(float)) == 0, "internal: vectors of wrong size");
  return bytes;
}

// The candidate has no peephole: zeros stand for it. In a file they are input, forget, output.
Bytes float_peepholes(Inputs in, const Sizes& s) {
  Bytes bytes;
  if (!has(in, peephole + 2)) return bytes;
  append(bytes, in[peephole + 2]->data);
  append(bytes, in[peephole + 1]->data);
  bytes.resize(bytes.size() + static_cast<size_t>(s.units) * sizeof(float));
  if (!coupled(in)) append(bytes, in[peephole]->data);
  return bytes;
}

Call lower_f32(Inputs in, const Options& options) {
  const Sizes s = sizes(in, options);
  const nn::LstmFloat p{narrow<int32_t>(s.batches),   narrow<int32_t>(s.steps),  narrow<int32_t>(s.batch_rows),
                        narrow<int32_t>(s.step_rows), narrow<int32_t>(s.inputs), narrow<int32_t>(s.units),
                        narrow<int32_t>(s.outputs),   coupled(in) ? 1 : 0,       options.cell_clip,
                        options.projection_clip};
  Call call = make_call(nn::lstm_f32, "lstm_f32", "nn/lstm.hpp", "LstmFloat", p,
                        {input(x), constant(0), constant(1), constant(2), constant(3), constant(4), constant(5),
                         state(output_state), state(cell_state), scratch(), output(0)});
  call.scratch_bytes = static_cast<int64_t>(gates * sizeof(float)) * s.units;
  const auto data = [&](size_t index) { return has(in, index) ? in[index]->data : Bytes{}; };
  call.constants = {
      {"weights", DType::f32, float_weights(in, s)},    {"bias", DType::f32, float_vectors(in, bias, s)},
      {"peephole", DType::f32, float_peepholes(in, s)}, {"norm", DType::f32, float_vectors(in, norm, s)},
      {"projection", DType::f32, data(projection)},     {"projection_bias", DType::f32, data(projection_bias)}};
  return call;
}

}  // namespace

Sizes sizes(Inputs in, const Options& options) {
  const Shape& input = op::input_type(in, x).shape;
  require(input.size() == 3, "has an input {}; it needs batch, time and depth", to_text(input));
  const Shape& weights = op::input_type(in, input_weights + 1).shape;
  const Shape& recurrent = op::input_type(in, recurrent_weights + 1).shape;
  require(weights.size() == 2 && weights[1] == input[2] && recurrent.size() == 2 && recurrent[0] == weights[0],
          "has weights {} and {} that do not fit its input {}", to_text(weights), to_text(recurrent),
          to_text(input));
  Sizes s;
  s.batches = input[options.time_major ? 1 : 0];
  s.steps = input[options.time_major ? 0 : 1];
  s.inputs = input[2], s.units = weights[0], s.outputs = recurrent[1];
  s.batch_rows = options.time_major ? 1 : s.steps;
  s.step_rows = options.time_major ? s.batches : 1;
  return s;
}

Call lower(const Core& core, Inputs in, const Types& out, const Options& options) {
  return in[x]->type.dtype == DType::f32 ? lower_f32(in, options) : lower_s8(core, in, out, options);
}

}  // namespace mote::lstm
