// SPDX-License-Identifier: Apache-2.0
// RNN, GRU and LSTM of ONNX: one operator a direction, their outputs side by side in memory.
#include <algorithm>

#include "import/onnx_translator.hpp"
#include "ops/recurrent.hpp"

namespace mote::onnx {

namespace {

namespace tfl = tflite::schema;
using recurrent::Cell;

// What the directions of a node share.
struct Layer {
  recurrent::Options options;
  std::vector<size_t> gates;  // the file's, in the operator's order
  int64_t steps = 0, batches = 0, inputs = 0, units = 0, directions = 1;
  bool batch_first = false;  // the file's layout = 1
  Value x;                   // [steps][batches][inputs]
};

recurrent::Activation activation_of(const std::string& name) {
  if (name == "Sigmoid") return recurrent::logistic;
  if (name == "Tanh") return recurrent::tanh;
  require(name == "Relu", "has the activation '{}', which is not supported; use Sigmoid, Tanh or Relu", name);
  return recurrent::relu;
}

void read_activations(const Translator& t, Layer& layer) {
  const std::vector<std::string> names = t.node().texts("activations");
  require(t.node().reals("activation_alpha").empty() && t.node().reals("activation_beta").empty(),
          "has activations with parameters, which is not supported; use Sigmoid, Tanh or Relu");
  if (names.empty()) return;
  const size_t each = layer.options.cell == Cell::lstm ? 3 : layer.options.cell == Cell::gru ? 2 : 1;
  require(names.size() == each * static_cast<size_t>(layer.directions), "has {} activations for {} directions",
          names.size(), layer.directions);
  for (size_t i = each; i < names.size(); ++i) {
    require(names[i] == names[i - each],
            "has different activations in its two directions, which is not supported");
  }
  if (layer.options.cell != Cell::rnn) layer.options.gate = activation_of(names[0]);
  layer.options.candidate = activation_of(names[layer.options.cell == Cell::rnn ? 0 : 1]);
  if (layer.options.cell == Cell::lstm) layer.options.squash = activation_of(names[2]);
}

// The input as the file's layout = 0 has it, and which of the two orders it is stored in.
void read_input(Translator& t, Layer& layer) {
  layer.x = t.plain(0);
  const size_t rank = layer.x.shape().size();
  require(rank == 3, "has an input of rank {}; it needs time, batch and depth", rank);
  layer.batch_first = t.node().integer("layout", 0) != 0;
  if (layer.batch_first) layer.x.layout = transposed(layer.x.layout, {1, 0, 2});
  const Shape shape = layer.x.shape();
  layer.steps = shape[0], layer.batches = shape[1], layer.inputs = shape[2];
  layer.options.time_major = t.builder().ordered(layer.x).order != Permutation{1, 0, 2};
}

// Sequences shorter than the input would leave the rest of the output zero.
void check_lengths(const Translator& t, const Layer& layer) {
  if (!t.has(4)) return;
  for (const int64_t length : t.integers(4, "sequence_lens")) {
    require(length == layer.steps, "has a sequence of {} of {} steps; sequences must be as long as the input",
            length, layer.steps);
  }
}

Layer read_layer(Translator& t, Cell cell) {
  Layer layer;
  layer.options.cell = cell;
  layer.gates = cell == Cell::lstm  ? std::vector<size_t>{0, 2, 1, 3}
                : cell == Cell::gru ? std::vector<size_t>{0, 1, 2}
                                    : std::vector<size_t>{0};
  read_input(t, layer);
  const Node& node = t.node();
  const std::string direction = node.text("direction", "forward");
  require(direction == "forward" || direction == "reverse" || direction == "bidirectional",
          "has the direction '{}', which Mote does not know", direction);
  layer.directions = direction == "bidirectional" ? 2 : 1;
  layer.options.reverse = direction == "reverse";
  layer.options.sequence = t.wanted(0);
  const Shape weights = t.shape(1), state = t.shape(2);
  const auto rows = std::ssize(layer.gates);
  require(state.size() == 3 && state[2] > 0 && state == Shape({layer.directions, rows * state[2], state[2]}) &&
              weights == Shape({layer.directions, rows * state[2], layer.inputs}),
          "has weights {} and {} for {} inputs and {} directions", to_text(weights), to_text(state), layer.inputs,
          layer.directions);
  layer.units = state[2];
  require(node.integer("hidden_size", layer.units) == layer.units,
          "has a hidden_size that its weights do not have");
  require(!node.has("clip"), "clips what goes into its activations, which is not supported; export without clip");
  require(node.integer("input_forget", 0) == 0,
          "couples its input and forget gates, which is not supported; export with input_forget=0");
  read_activations(t, layer);
  check_lengths(t, layer);
  return layer;
}

std::vector<float> constant_numbers(Translator& t, size_t input, std::string_view what, int64_t count) {
  const Value value = t.plain(input);
  require(t.builder().constant(value),
          "computes its {} ('{}') at run time, which is not supported; export it as a constant", what,
          t.node().inputs[input]);
  const Tensor& tensor = t.builder().tensor(t.builder().stored(value, identity(value.shape().size())));
  require(tensor.type.dtype == DType::f32 && elements(tensor.type.shape) == count,
          "has {} {} of {}, {} were expected", elements(tensor.type.shape), what, name(tensor.type.dtype), count);
  return to_values<float>(tensor.data);
}

// The rows of one direction, gate by gate in the operator's order.
std::vector<float> gate_rows(const Layer& layer, const std::vector<float>& all, int64_t direction, int64_t width) {
  std::vector<float> result;
  const int64_t gate = layer.units * width;
  const auto first = all.begin() + direction * std::ssize(layer.gates) * gate;
  for (const size_t number : layer.gates) {
    const auto begin = first + static_cast<int64_t>(number) * gate;
    result.insert(result.end(), begin, begin + gate);
  }
  return result;
}

// The file has two biases, of the products with the input and with the state; most gates take their sum.
TensorId bias_of(Translator& t, const Layer& layer, int64_t direction) {
  const auto rows = std::ssize(layer.gates) * layer.units;
  std::vector<float> sum(static_cast<size_t>(rows), 0.0F), last(static_cast<size_t>(layer.units), 0.0F);
  if (t.has(3)) {
    const std::vector<float> all = constant_numbers(t, 3, "biases", layer.directions * 2 * rows);
    const auto begin = all.begin() + direction * 2 * rows;
    const std::vector<float> of_input = gate_rows(layer, {begin, begin + rows}, 0, 1);
    const std::vector<float> of_state = gate_rows(layer, {begin + rows, begin + 2 * rows}, 0, 1);
    const int64_t summed = layer.options.reset_after ? rows - layer.units : rows;
    for (int64_t i = 0; i < rows; ++i) {
      const auto place = static_cast<size_t>(i);
      sum[place] = of_input[place] + (i < summed ? of_state[place] : 0.0F);
      if (i >= summed) last[static_cast<size_t>(i - summed)] = of_state[place];
    }
  }
  if (layer.options.reset_after) sum.insert(sum.end(), last.begin(), last.end());
  return t.builder().constant({std::ssize(sum)}, sum);
}

TensorId peephole_of(Translator& t, const Layer& layer, int64_t direction) {
  if (layer.options.cell != Cell::lstm || !t.has(7)) return no_tensor;
  const std::vector<float> all = constant_numbers(t, 7, "peepholes", layer.directions * 3 * layer.units);
  std::vector<float> ordered;
  for (const int64_t gate : {0, 2, 1}) {  // the file has them for input, output and forget gate
    const auto begin = all.begin() + (direction * 3 + gate) * layer.units;
    ordered.insert(ordered.end(), begin, begin + layer.units);
  }
  return t.builder().constant({std::ssize(ordered)}, ordered);
}

bool all_zero(const Tensor& tensor) {
  return std::all_of(tensor.data.begin(), tensor.data.end(), [](std::byte b) { return b == std::byte{0}; });
}

// [batch][units] of one direction; zeros, which exporters write out, are left to the operator.
TensorId initial_of(Translator& t, const Layer& layer, size_t input, int64_t direction) {
  if (!t.has(input)) return no_tensor;
  Value value = t.plain(input);
  Builder& builder = t.builder();
  if (builder.constant(value) && all_zero(builder.tensor(value.id))) return no_tensor;
  if (layer.batch_first) value.layout = transposed(value.layout, {1, 0, 2});
  require(value.shape() == Shape({layer.directions, layer.batches, layer.units}),
          "has an initial state {}, {} was expected", to_text(value.shape()),
          to_text({layer.directions, layer.batches, layer.units}));
  const TensorId id = builder.stored(value, {0, 1, 2});
  const Shape one{layer.batches, layer.units};
  if (layer.directions == 1) return builder.with_shape(id, one);
  tfl::StridedSliceOptionsT options;
  const auto number = static_cast<int32_t>(direction);
  const auto batches = narrow<int32_t>(layer.batches), units = narrow<int32_t>(layer.units);
  const std::vector<TensorId> in{id, builder.constant(Shape{3}, std::vector<int32_t>{number, 0, 0}),
                                 builder.constant(Shape{3}, std::vector<int32_t>{number + 1, batches, units}),
                                 builder.constant(Shape{3}, std::vector<int32_t>{1, 1, 1})};
  return builder.with_shape(builder.add("STRIDED_SLICE", options, in, {{DType::f32, {}, {}}})[0], one);
}

// The operator's outputs: the sequence (if asked for), the last state, the last cell state (LSTM).
std::vector<TensorId> add_direction(Translator& t, const Layer& layer, int64_t direction) {
  Builder& builder = t.builder();
  const auto rows = std::ssize(layer.gates) * layer.units;
  const auto matrix = [&](size_t input, std::string_view what, int64_t width) {
    const std::vector<float> all = constant_numbers(t, input, what, layer.directions * rows * width);
    return builder.constant({rows, width}, gate_rows(layer, all, direction, width));
  };
  recurrent::Options options = layer.options;
  options.reverse = options.reverse || direction == 1;
  const bool is_lstm = options.cell == Cell::lstm;
  std::vector<TensorId> in(recurrent::all_inputs, no_tensor);
  in[recurrent::x] = builder.stored(layer.x, options.time_major ? Permutation{0, 1, 2} : Permutation{1, 0, 2});
  in[recurrent::weights] = matrix(1, "weights", layer.inputs);
  in[recurrent::recurrence] = matrix(2, "recurrent weights", layer.units);
  in[recurrent::bias] = bias_of(t, layer, direction);
  in[recurrent::peephole] = peephole_of(t, layer, direction);
  in[recurrent::initial_state] = initial_of(t, layer, 5, direction);
  if (is_lstm) in[recurrent::initial_cell] = initial_of(t, layer, 6, direction);
  const TensorType real{DType::f32, {}, {}};
  return builder.add(recurrent::make(options), in,
                     Types((options.sequence ? 1U : 0U) + (is_lstm ? 2U : 1U), real));
}

// The directions' tensors behind each other along `axis`.
TensorId joined(Builder& builder, const std::vector<std::vector<TensorId>>& directions, size_t output,
                size_t axis) {
  if (directions.size() == 1) return directions[0][output];
  tfl::ConcatenationOptionsT options;
  options.axis = static_cast<int32_t>(axis);
  return builder.add("CONCATENATION", options, {directions[0][output], directions[1][output]},
                     {{DType::f32, {}, {}}})[0];
}

void give_outputs(Translator& t, const Layer& layer, const std::vector<std::vector<TensorId>>& directions) {
  size_t output = 0;
  if (layer.options.sequence) {
    const Shape shape{layer.steps, layer.directions, layer.batches, layer.units};
    const Permutation order = layer.options.time_major ? Permutation{0, 2, 1, 3} : Permutation{2, 0, 1, 3};
    Layout layout = layout_of(shape, order);
    if (layer.batch_first) layout = transposed(layout, {2, 0, 1, 3});
    t.give(0, {joined(t.builder(), directions, output++, 2), std::move(layout)});
  }
  const size_t states = layer.options.cell == Cell::lstm ? 2 : 1;
  for (size_t i = 1; i <= states; ++i, ++output) {
    if (!t.wanted(i)) continue;
    Layout layout = layout_of({layer.directions, layer.batches, layer.units}, {0, 1, 2});
    if (layer.batch_first) layout = transposed(layout, {1, 0, 2});
    t.give(i, {joined(t.builder(), directions, output, 0), std::move(layout)});
  }
}

void translate(Translator& t, Cell cell) {
  Layer layer = read_layer(t, cell);
  layer.options.reset_after = cell == Cell::gru && t.node().integer("linear_before_reset", 0) != 0;
  std::vector<std::vector<TensorId>> directions;
  for (int64_t direction = 0; direction < layer.directions; ++direction) {
    directions.push_back(add_direction(t, layer, direction));
  }
  give_outputs(t, layer, directions);
}

void rnn(Translator& t) { translate(t, Cell::rnn); }
void gru(Translator& t) { translate(t, Cell::gru); }
void lstm(Translator& t) { translate(t, Cell::lstm); }

constexpr Translation table[] = {{"GRU", gru}, {"LSTM", lstm}, {"RNN", rnn}};

}  // namespace

std::span<const Translation> recurrent_translations() { return table; }

}  // namespace mote::onnx
