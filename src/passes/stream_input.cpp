// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "ops/input_rows.hpp"
#include "passes/passes.hpp"

namespace mote {

namespace {

void check_input(const Graph& graph) {
  require(graph.inputs.size() == 1,
          "--stream-input: the model has {} inputs, rows can be pushed into one; compile without it",
          graph.inputs.size());
  const Tensor& input = graph.tensors[graph.inputs[0]];
  const Shape& shape = input.type.shape;
  require(shape.size() >= 3 && shape[0] == 1 && shape[1] > 1 && elements(shape) > 0 && bits(input.type.dtype) >= 8,
          "--stream-input: input '{}' is {} {}, which has no rows; it takes batch 1 and three dimensions or more. "
          "Compile without it",
          input.name, name(input.type.dtype), to_text(shape));
  require(std::find(graph.outputs.begin(), graph.outputs.end(), graph.inputs[0]) == graph.outputs.end(),
          "--stream-input: input '{}' is also an output; compile without it", input.name);
}

}  // namespace

Graph stream_input(Graph graph) {
  check_input(graph);
  const TensorId input = graph.inputs[0];
  const TensorId inside = graph.tensors.size();
  for (Node& node : graph.nodes) std::replace(node.in.begin(), node.in.end(), input, inside);
  graph.tensors.push_back({graph.tensors[input].name, graph.tensors[input].type, {}});
  graph.nodes.insert(
      graph.nodes.begin(),
      {make_input_rows(), {input}, {inside}, fmt::format("rows of input '{}'", graph.tensors[input].name)});
  verify(graph);
  return graph;
}

}  // namespace mote
