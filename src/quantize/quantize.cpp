// SPDX-License-Identifier: Apache-2.0
#include "quantize/quantize.hpp"

#include <algorithm>

#include "compile/compile.hpp"
#include "quantize/equalize.hpp"
#include "quantize/observe.hpp"
#include "quantize/round_layers.hpp"
#include "quantize/stored_weights.hpp"
#include "quantize/to_tflite.hpp"
#include "quantize/values.hpp"
#include "simulate/simulate.hpp"

namespace mote {

namespace {

// Layers that compute on reals, and why.
std::vector<std::string> notes_of(const Graph& graph, const Scheme& scheme, DType activations) {
  std::vector<std::string> notes;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    const auto real = [&](TensorId id) { return is_activation(graph, id); };
    if (scheme.integer(i) || std::none_of(node.in.begin(), node.in.end(), real)) continue;
    const bool follows =
        node.op->integer_form(activations, inputs_of(graph, node), output_types(graph, node)).has_value();
    notes.push_back(follows ? fmt::format("{} stays float, as the operator before it.", node.origin)
                            : fmt::format("{} stays float: {} has no form on {} that every TensorFlow Lite "
                                          "interpreter knows.",
                                          node.origin, node.op->name(), name(activations)));
  }
  return notes;
}

// A pattern that fits no layer is a mistake.
void require_patterns(const Graph& graph, const Scheme& scheme, const QuantizeOptions& options) {
  for (const NarrowWeights& narrow : options.narrow) {
    bool any = false;
    std::string layers;
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      if (!scheme.integer(i) || !scheme.forms[i]->sum) continue;
      any = any || named(narrow.pattern, graph, graph.nodes[i], *scheme.forms[i]->sum);
      layers += fmt::format("\n  {}", graph.nodes[i].origin);
    }
    require(any, "--weights: '{}' is the name of no layer with weights; there are{}", narrow.pattern, layers);
  }
}

// What is read back must compute the same, or the file says something else than the graph.
void check_file(const QuantizedModel& model, const std::vector<Bytes>& inputs) {
  const Compiled again = compile_model(model.file, model.integer.graph.name);
  const std::vector<Bytes> expected = simulate(model.integer.graph, make_plan(model.integer.graph), inputs);
  require(simulate(again.graph, again.plan, inputs) == expected,
          "internal: the written file computes something else than the quantised model");
}

}  // namespace

QuantizedModel quantize(const Graph& model, const Samples& calibration, const QuantizeOptions& options) {
  require(!calibration.inputs.empty(), "the calibration set is empty");
  QuantizedModel result;
  result.real = with_real_weights(model, result.notes);
  const Scheme scheme = choose_scheme(result.real, options.activations);
  require_patterns(result.real, scheme, options);
  for (std::string& note : notes_of(result.real, scheme, options.activations))
    result.notes.push_back(std::move(note));
  if (options.equalize) result.real = equalize(std::move(result.real), scheme);
  Observed observed{quantizations(result.real, scheme, calibration, options), {}, {}};
  if (options.correct_bias) observed.input_means = input_means(result.real, scheme, calibration);
  if (options.rounding == WeightRounding::calibrated ||
      (options.rounding == WeightRounding::narrow && !options.narrow.empty()))
    observed.layers = round_layers(result.real, scheme, observed, options, calibration, result.notes);
  result.integer = integer_graph(result.real, scheme, observed, options);
  result.file = to_tflite(result.integer.graph);
  check_file(result, integer_inputs(result.integer.graph, model, calibration.inputs[0]));
  return result;
}

}  // namespace mote
